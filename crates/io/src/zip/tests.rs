//! What is written is read again, at any size: around 2 GiB and 4 GiB, where numbers go to other places.

use super::end::End;
use super::entry::{CENTRAL, DEFLATED, Entry};
use super::fields::Fields;
use super::{Result, Style};

const EDGES: [u64; 7] = [0, 1000, (1 << 31) - 1, 1 << 31, (1 << 32) - 2, (1 << 32) - 1, 1 << 40];

#[test]
fn entries_of_the_directory_are_read_as_they_were_written() -> Result<()> {
    for style in [Style::NUMPY, Style::PYTORCH] {
        for (size, offset) in EDGES.into_iter().flat_map(|size| EDGES.map(|offset| (size, offset))) {
            let named = Entry::new("layer/ß".to_owned(), offset, &style);
            let entry = Entry { method: DEFLATED, crc: 7, packed: size / 2, size, ..named };
            let mut directory = Vec::new();
            entry.write(&style, &mut directory);
            let mut fields = Fields(&directory);
            assert_eq!(Entry::read(&mut fields)?, entry);
            assert!(fields.0.is_empty());
        }
    }
    Ok(())
}

#[test]
fn headers_know_their_length_and_pytorch_s_end_at_multiples_of_64() -> Result<()> {
    for style in [Style::NUMPY, Style::PYTORCH] {
        for (size, offset) in EDGES.into_iter().flat_map(|size| EDGES.map(|offset| (size, offset))) {
            let entry = Entry { packed: size, size, ..Entry::new("archive/data/0".to_owned(), offset, &style) };
            let header = entry.header(&style);
            assert_eq!(Entry::header_len(&header)?, Some(header.len()));
            assert!((offset + header.len() as u64).is_multiple_of(style.alignment));
        }
    }
    assert_eq!(Entry::header_len(&[0; 30])?, None);
    Ok(())
}

#[test]
fn the_end_is_found_as_it_was_written() -> Result<()> {
    for style in [Style::NUMPY, Style::PYTORCH] {
        for count in [0, 1, 65_535, 65_536, 100_000] {
            let bytes = count as usize * CENTRAL;
            let mut file = vec![0; bytes];
            End { count, bytes: bytes as u64, start: 0 }.write(&style, &mut file);
            assert_eq!(End::directory(&file)?, (count as usize, 0..bytes));
            file.extend(b"a comment");
            assert_eq!(End::directory(&file)?, (count as usize, 0..bytes));
        }
    }
    Ok(())
}
