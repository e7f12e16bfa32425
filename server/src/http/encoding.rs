//! What `Accept-Encoding` takes.

/// Whether the header names the encoding, and not with a weight of 0.
pub(super) fn accepts(header: &str, name: &str) -> bool {
    header.split(',').any(|member| {
        let mut parts = member.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f32>);
        coding.eq_ignore_ascii_case(name) && weight.is_ok_and(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_wanted_is_not_sent() {
        assert!(accepts("gzip, deflate, br, zstd", "br"));
        assert!(accepts("deflate, GZIP;q=0.5", "gzip"));
        assert!(!accepts("gzip;q=0, br", "gzip"));
        assert!(!accepts("", "gzip"));
    }
}
