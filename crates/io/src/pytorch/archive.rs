//! The zip archive around a pickle and its storages, as PyTorch writes it since version 1.6: data begins at multiples of 64
//! bytes, and all names are in one folder.

use super::PytorchError;
use crate::zip::{self, Record, Style};
use std::collections::HashMap;
use std::io::{self, Write};

/// The folder that records are written into.
const FOLDER: &str = "archive/";

/// The records of an archive, by name without the top folder.
pub(super) struct Archive(HashMap<String, Record>);

impl Archive {
    /// Reads the directory of the archive that `file` is.
    pub fn parse(file: &[u8]) -> Result<Self, PytorchError> {
        let mut all = zip::records(file)?;
        let folder = all.first().map_or("", |first| top_folder(&first.name)).to_owned();
        for record in &mut all {
            let Some(name) = record.name.strip_prefix(folder.as_str()) else {
                let problem = format!("file in archive is not in a subdirectory {folder}: {}", record.name);
                return Err(PytorchError::Archive(problem));
            };
            record.name = name.to_owned();
        }
        Ok(Archive(all.into_iter().map(|record| (record.name.clone(), record)).collect()))
    }

    /// The record of this name.
    pub fn get(&self, name: &str) -> Option<&Record> {
        self.0.get(name)
    }
}

/// The part of a name up to its first slash, which is the same for all names.
fn top_folder(name: &str) -> &str {
    name.find('/').map_or("", |at| &name[..=at])
}

/// An archive that is being written, byte for byte the same at every run.
pub(super) struct Writer<'w>(zip::Writer<'w>);

impl<'w> Writer<'w> {
    /// Where storages begin is a multiple of this, so that a mapped file can be used as it lies.
    pub const ALIGNMENT: u64 = Style::PYTORCH.alignment;

    pub fn new(out: &'w mut dyn Write) -> Self {
        Writer(zip::Writer::new(out, Style::PYTORCH))
    }

    /// Writes a record.
    pub fn record(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.store(format!("{FOLDER}{name}"), bytes)
    }

    /// Writes the directory.
    pub fn finish(self) -> io::Result<()> {
        self.0.finish()
    }
}
