//! The derive macros of Firebrick.
