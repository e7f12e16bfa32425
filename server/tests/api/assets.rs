//! The web app's files, where it is built in.

use std::io::Read;

use axum::http::StatusCode;

use crate::support::City;

/// The page's script; none where the web app is not built in.
async fn script(city: &City) -> Option<String> {
    let page = city.get_with("/", &[("accept", "text/html")]).await.text();
    let path = page.split('"').find(|value| value.starts_with("./assets/app-") && !value.contains(".css"));
    let path = path.map(|path| path.trim_start_matches('.').to_owned());
    if path.is_none() {
        println!("skipped: the web app is not built in (run `make build`)");
    }
    path
}

#[tokio::test]
async fn files_are_sent_as_the_build_compressed_them() {
    let city = City::new().await;
    let Some(path) = script(&city).await else { return };
    let plain = city.get(&path).await;
    assert_eq!((plain.status, plain.header("content-encoding")), (StatusCode::OK, ""));
    assert_eq!(plain.header("content-type"), "text/javascript; charset=utf-8");

    let brotli = city.get_with(&path, &[("accept-encoding", "gzip, br, zstd")]).await;
    assert_eq!(brotli.header("content-encoding"), "br");
    let mut back = Vec::new();
    brotli::BrotliDecompress(&mut &brotli.body[..], &mut back).unwrap();
    assert!(back == plain.body, "the same inside");

    let gzip = city.get_with(&path, &[("accept-encoding", "gzip, br;q=0")]).await;
    assert_eq!(gzip.header("content-encoding"), "gzip");
    let mut back = Vec::new();
    flate2::read::GzDecoder::new(&gzip.body[..]).read_to_end(&mut back).unwrap();
    assert!(back == plain.body, "the same inside");
    assert!(brotli.body.len() < gzip.body.len() && gzip.body.len() < plain.body.len());

    let tags = [&plain, &brotli, &gzip].map(|answer| answer.header("etag"));
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "other bytes, another tag: {tags:?}");
    for answer in [&plain, &brotli, &gzip] {
        assert_eq!(answer.header("content-type"), plain.header("content-type"));
        assert!(answer.header("vary").to_ascii_lowercase().contains("accept-encoding"));
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        let headers =
            [("if-none-match", answer.header("etag")), ("accept-encoding", answer.header("content-encoding"))];
        let same = city.get_with(&path, &headers).await;
        assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(same.header("etag"), answer.header("etag"));
    }
    let other = [("if-none-match", tags[2]), ("accept-encoding", "br")];
    assert_eq!(city.get_with(&path, &other).await.status, StatusCode::OK, "another encoding's tag");
}

#[tokio::test]
async fn a_compressed_variant_has_no_address_of_its_own() {
    let city = City::new().await;
    let Some(path) = script(&city).await else { return };
    for suffix in [".br", ".gz"] {
        assert_eq!(city.get(&format!("{path}{suffix}")).await.status, StatusCode::NOT_FOUND, "{suffix}");
    }
    assert_eq!(city.ask("DELETE", &path, &[]).await.status, StatusCode::METHOD_NOT_ALLOWED);
}
