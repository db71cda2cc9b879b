//! Zip archives taken apart and put together with checksums that hold, so that what is in them is looked at.

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name, the folder with it.
    pub name: Vec<u8>,
    /// 0 for bytes as they are, 8 for deflated ones.
    pub method: u16,
    /// The bytes as they lie in the archive.
    pub bytes: Vec<u8>,
    /// The checksum and the number of the inflated bytes.
    pub crc: u32,
    /// Inflated bytes.
    pub size: u32,
}

impl Record {
    /// Makes the checksum that of the bytes, which are no longer deflated.
    pub fn settle(&mut self) {
        (self.method, self.size, self.crc) = (0, self.bytes.len() as u32, crc32fast::hash(&self.bytes));
    }
}

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;

/// The records, if it is an archive of the usual form: one whose records share no bytes, so that it does not grow when it is
/// put together.
pub fn take_apart(file: &[u8]) -> Option<Vec<Record>> {
    let number = |at: usize, bytes: usize| -> Option<usize> {
        Some(
            file.get(at..at.checked_add(bytes)?)?.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte)),
        )
    };
    let end = file.windows(4).rposition(|window| window == END.to_le_bytes())?;
    let (count, mut at) = (number(end + 10, 2)?, number(end + 16, 4)?);
    let mut records = Vec::new();
    for _ in 0..count {
        if number(at, 4)? != CENTRAL as usize {
            return None;
        }
        let (name, extra, comment) = (number(at + 28, 2)?, number(at + 30, 2)?, number(at + 32, 2)?);
        let offset = number(at + 42, 4)?;
        let start = offset + 30 + number(offset + 26, 2)? + number(offset + 28, 2)?;
        records.push(Record {
            name: file.get(at + 46..at + 46 + name)?.to_vec(),
            method: number(at + 10, 2)? as u16,
            bytes: file.get(start..start.checked_add(number(at + 20, 4)?)?)?.to_vec(),
            crc: number(at + 16, 4)? as u32,
            size: number(at + 24, 4)? as u32,
        });
        at += 46 + name + extra + comment;
    }
    let together: usize = records.iter().map(|record| record.bytes.len()).sum();
    (together <= file.len()).then_some(records)
}

/// The archive of the records.
pub fn put_together(records: &[Record]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for record in records {
        let offset = file.len() as u32;
        // Version, flags, method, time, date.
        let facts = [20, 0, record.method, 0, 0].map(u16::to_le_bytes).concat();
        let sizes = [record.crc, record.bytes.len() as u32, record.size].map(u32::to_le_bytes).concat();
        let name = (record.name.len() as u16).to_le_bytes();
        file.extend([&LOCAL.to_le_bytes()[..], &facts, &sizes, &name, &[0; 2], &record.name, &record.bytes].concat());
        let own = [&CENTRAL.to_le_bytes()[..], &[20, 0], &facts, &sizes, &name, &[0; 12]].concat();
        directory.extend([&own[..], &offset.to_le_bytes(), &record.name].concat());
    }
    let (count, start) = ((records.len() as u16).to_le_bytes(), file.len() as u32);
    let length = (directory.len() as u32).to_le_bytes();
    file.extend(directory);
    file.extend([&END.to_le_bytes()[..], &[0; 4], &count, &count, &length, &start.to_le_bytes(), &[0; 2]].concat());
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_come_back_as_they_were() {
        let record = |name: &str, bytes: &[u8]| {
            let mut record = Record { name: name.into(), method: 8, bytes: bytes.to_vec(), crc: 0, size: 0 };
            record.settle();
            record
        };
        let records = [record("a/data.pkl", b"\x80\x02N."), record("a/version", b"3\n"), record("a/data/0", &[])];
        assert_eq!(take_apart(&put_together(&records)).expect("an archive"), records);
        assert_eq!(take_apart(b"no archive"), None);
    }

    #[test]
    fn records_that_share_bytes_are_no_archive_of_the_usual_form() {
        let mut record = Record { name: b"a".to_vec(), method: 0, bytes: vec![7; 1000], crc: 0, size: 0 };
        record.settle();
        let mut file = put_together(&[record.clone(), record]);
        // The second entry of the directory names the first record.
        let offset = file.len() - 22 - 1 - 4;
        file[offset..offset + 4].fill(0);
        let second = 30 + 1 + 1000;
        file.drain(second..2 * second);
        let start = file.len() - 6;
        file[start..start + 4].copy_from_slice(&(second as u32).to_le_bytes());
        assert_eq!(take_apart(&file), None);
    }
}
