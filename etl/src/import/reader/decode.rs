//! Which encoding texts are in, found from their bytes sooner than from what
//! a file says of itself.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// The encoding of that name, as files and people write it: `UTF-8`, `1252`,
/// `ISO-8859-1`, `88591`, `CP1252`, `LDID/87`, `ANSI 1252`.
pub(super) fn by_name(name: &str) -> Option<&'static Encoding> {
    let name = name.trim().to_ascii_lowercase();
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    let label = match digits.as_str() {
        "65001" => "utf-8",
        "437" | "850" | "1252" => "windows-1252",
        "1250" | "1251" | "1253" | "1254" | "1255" | "1256" | "1257" | "1258" => &format!("windows-{digits}"),
        "932" => "shift_jis",
        "936" => "gbk",
        "949" => "euc-kr",
        "950" => "big5",
        // 8859-1 or 88591: the part of the standard.
        _ if digits.len() > 4 && digits.starts_with("8859") => &format!("iso-8859-{}", &digits[4..]),
        _ if name.starts_with("ldid") => match digits.as_str() {
            "19" | "123" => "shift_jis",
            "87" | "3" | "1" | "2" | "88" => "windows-1252",
            "200" | "135" => "windows-1250",
            "201" => "windows-1251",
            _ => return None,
        },
        _ => &name,
    };
    Encoding::for_label(label.as_bytes())
}

/// What was learnt of the bytes of many texts.
#[derive(Debug, Default)]
pub(super) struct Bytes {
    not_ascii: bool,
    not_utf8: bool,
}

impl Bytes {
    /// Takes the text's bytes into account.
    pub(super) fn see(&mut self, bytes: &[u8]) {
        if bytes.is_ascii() {
            return;
        }
        self.not_ascii = true;
        if let Err(error) = std::str::from_utf8(bytes) {
            // A character cut off at the end of a fixed-width field is UTF-8 still.
            self.not_utf8 |= error.error_len().is_some() || error.valid_up_to() == 0;
        }
    }

    /// The encoding of the texts, given what the file says (`declared`). A
    /// wrong declaration is named in the second place.
    pub(super) fn encoding(&self, declared: Option<&'static Encoding>) -> (&'static Encoding, Option<String>) {
        if !self.not_ascii {
            return (declared.unwrap_or(UTF_8), None);
        }
        let found = if self.not_utf8 { declared.filter(|d| *d != UTF_8).unwrap_or(WINDOWS_1252) } else { UTF_8 };
        let wrong = declared.filter(|declared| *declared != found).map(|declared| {
            format!("the file says that its texts are in {}, but they are in {}", declared.name(), found.name())
        });
        (found, wrong)
    }
}

/// The bytes that GDAL gave as ISO-8859-1, each a character of its number.
pub(super) fn bytes_of_latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

/// Decodes the bytes; a cut-off character at the end is dropped.
pub(super) fn decode(bytes: &[u8], encoding: &'static Encoding) -> String {
    let bytes = if encoding == UTF_8 {
        match std::str::from_utf8(bytes) {
            Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
            _ => bytes,
        }
    } else {
        bytes
    };
    encoding.decode_without_bom_handling(bytes).0.trim_end().to_owned()
}

/// A text file as UTF-8: itself where it is, or a copy in `folder`. Says
/// which encoding it was in.
pub(super) fn as_utf8(
    path: &Path,
    folder: &Path,
    asked: Option<&'static Encoding>,
) -> io::Result<(PathBuf, &'static Encoding)> {
    let mut start = [0; 4];
    let got = File::open(path)?.read(&mut start)?;
    let marked = Encoding::for_bom(&start[..got]).map(|(encoding, _)| encoding);
    let encoding = match asked.or(marked) {
        Some(encoding) => encoding,
        None if is_utf8(path)? => UTF_8,
        None => WINDOWS_1252,
    };
    if encoding == UTF_8 && marked.is_none() && (asked.is_none() || is_utf8(path)?) {
        return Ok((path.to_owned(), encoding));
    }
    let target = folder.join("utf8").join(path.file_name().unwrap_or_default());
    std::fs::create_dir_all(folder.join("utf8"))?;
    transcode(path, &target, encoding)?;
    Ok((target, encoding))
}

fn is_utf8(path: &Path) -> io::Result<bool> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut buffer = vec![0; 64 << 10];
    let mut kept = 0;
    loop {
        let got = reader.read(&mut buffer[kept..])?;
        let end = kept + got;
        match std::str::from_utf8(&buffer[..end]) {
            Ok(_) => kept = 0,
            Err(error) if error.error_len().is_none() => {
                let valid = error.valid_up_to();
                buffer.copy_within(valid..end, 0);
                kept = end - valid;
            }
            Err(_) => return Ok(false),
        }
        if got == 0 {
            return Ok(kept == 0);
        }
    }
}

fn transcode(from: &Path, to: &Path, encoding: &'static Encoding) -> io::Result<()> {
    let mut reader = File::open(from)?;
    let mut writer = BufWriter::new(File::create(to)?);
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let mut bytes = vec![0; 64 << 10];
    let mut text = vec![0; 256 << 10];
    loop {
        let got = reader.read(&mut bytes)?;
        let (_, _, written, _) = decoder.decode_to_utf8(&bytes[..got], &mut text, got == 0);
        writer.write_all(&text[..written])?;
        if got == 0 {
            return writer.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_known_by_many_names() {
        for (name, encoding) in [
            ("UTF-8", "UTF-8"),
            ("65001", "UTF-8"),
            ("1252", "windows-1252"),
            ("ANSI 1252", "windows-1252"),
            ("ISO-8859-1", "windows-1252"),
            ("88591", "windows-1252"),
            ("ISO88592", "ISO-8859-2"),
            ("LDID/87", "windows-1252"),
            ("Windows-1251", "windows-1251"),
            ("932", "Shift_JIS"),
        ] {
            assert_eq!(by_name(name).map(Encoding::name), Some(encoding), "{name}");
        }
        assert_eq!(by_name("klingon"), None);
    }

    #[test]
    fn bytes_tell_more_than_declarations() {
        let of = |text: &[u8], declared: Option<&str>| {
            let mut bytes = Bytes::default();
            bytes.see(text);
            let (encoding, warning) = bytes.encoding(declared.and_then(by_name));
            (encoding.name(), warning.is_some())
        };
        assert_eq!(of("Ibagué".as_bytes(), None), ("UTF-8", false));
        assert_eq!(of("Ibagué".as_bytes(), Some("1252")), ("UTF-8", true));
        assert_eq!(of(b"Ibagu\xe9 y", Some("UTF-8")), ("windows-1252", true));
        assert_eq!(of(b"Ibagu\xe9 y", None), ("windows-1252", false));
        assert_eq!(of(b"Vereda El Ca\xc3", None), ("UTF-8", false));
        assert_eq!(decode(b"Vereda El Ca\xc3", UTF_8), "Vereda El Ca");
        assert_eq!(decode(&bytes_of_latin1("Ibagu\u{c3}\u{a9}  "), UTF_8), "Ibagué");
    }

    #[test]
    fn files_become_utf8() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let read = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            let (file, encoding) = as_utf8(&path, folder.path(), None).unwrap();
            (std::fs::read_to_string(file).unwrap(), encoding.name())
        };
        assert_eq!(read("a;ñ".as_bytes()), ("a;ñ".to_owned(), "UTF-8"));
        assert_eq!(read(b"a;\xf1"), ("a;ñ".to_owned(), "windows-1252"));
        assert_eq!(read(b"\xff\xfea\0;\0\xf1\0"), ("a;ñ".to_owned(), "UTF-16LE"));
        assert_eq!(read(b"\xef\xbb\xbfa"), ("a".to_owned(), "UTF-8"));
    }
}
