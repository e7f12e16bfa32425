/// The characters of a file's name that are kept.
const MOST_NAME: usize = 120;

/// A file's name as it is kept: without folders, without what cannot be seen,
/// and with the ending of what it is: a page called `foto.jpg.html` is none.
pub(super) fn name(said: &str, media_type: &str) -> String {
    let endings: &[&str] = match media_type {
        "image/jpeg" => &["jpg", "jpeg", "jpe"],
        "image/png" => &["png"],
        "image/webp" => &["webp"],
        _ => &["pdf"],
    };
    let last = said.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|character| !character.is_control()).collect();
    let plain = plain.trim().trim_start_matches('.');
    let (stem, ending) = match plain.rsplit_once('.') {
        Some((stem, ending)) if endings.contains(&ending.to_lowercase().as_str()) => (stem, ending),
        _ => (plain, endings[0]),
    };
    let stem: String = stem.chars().take(MOST_NAME).collect();
    let stem = if stem.trim().is_empty() { "adjunto" } else { stem.trim() };
    format!("{stem}.{ending}")
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_is_a_files_and_of_what_it_is() {
        for (said, media_type, kept) in [
            ("hueco.JPG", "image/jpeg", "hueco.JPG"),
            ("C:\\fotos\\vía 3.jpeg", "image/jpeg", "vía 3.jpeg"),
            ("../../etc/passwd", "application/pdf", "passwd.pdf"),
            ("acta.pdf.html", "application/pdf", "acta.pdf.html.pdf"),
            ("foto.jpg", "image/png", "foto.jpg.png"),
            ("a\r\nb\u{0}.png", "image/png", "ab.png"),
            (".pdf", "application/pdf", "pdf.pdf"),
            ("  ", "image/webp", "adjunto.webp"),
        ] {
            assert_eq!(name(said, media_type), kept);
        }
        assert_eq!(name(&"x".repeat(1000), "image/png").len(), 124);
    }
}
