//! Files of Firebrick: safetensors and checkpoints.
