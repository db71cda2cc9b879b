//! Files of other programs, read and written again.

use firebrick::io::numpy::{load_npy, save_npy};
use firebrick::io::{SaveOptions, load_safetensors, pytorch, save_safetensors_with};
use firebrick::{Error, Result};
use std::path::Path;

pub fn file(from: &Path, to: &Path) -> Result<()> {
    let end = |path: &Path| path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_owned();
    match (end(from).as_str(), end(to).as_str()) {
        ("pt", "pt") => pytorch::save(pytorch::load(from)?, to),
        ("pt", "safetensors") => {
            save_safetensors_with(to, &pytorch::load(from)?.state_dict()?, &SaveOptions::new().ties(true))
        }
        ("safetensors" | "json", "safetensors") => {
            save_safetensors_with(to, &load_safetensors(from)?, &SaveOptions::new().ties(true))
        }
        ("safetensors" | "json", "pt") => pytorch::save(&load_safetensors(from)?, to),
        ("npy", "npy") => save_npy(to, &load_npy(from)?),
        (from, to) => Err(Error::value("interop", format!("nothing writes .{to} from .{from}"))),
    }
}
