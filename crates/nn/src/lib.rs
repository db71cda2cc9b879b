//! Modules, layers, initialization and stateless functions of Firebrick.
