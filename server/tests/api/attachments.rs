//! Photos and documents of features over HTTP.

use access::{Caller, Visibility};
use axum::http::StatusCode;
use layers::attachment::MOST_BYTES;
use layers::catalog;
use lindero::config::Settings;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::edits::Editor;
use crate::support::{Answer, City, link};

const OPERATOR: &Caller = &Caller::OPERATOR;
const ATTACHMENTS: &str = "/collections/barrios/items/1/attachments";
pub(crate) const BOUNDARY: &str = "----lindero";

/// A form as a browser sends it: each part's name, its file's name, its content.
pub(crate) fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
        body.extend_from_slice(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

impl Editor<'_> {
    async fn attach(&self, uri: &str, parts: &[(&str, Option<&str>, &[u8])]) -> Answer {
        let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
        let headers = [("authorization", self.key.as_str()), ("content-type", media_type.as_str())];
        self.city.send_bytes("POST", uri, &headers, form(parts)).await
    }

    async fn attach_file(&self, name: &str, content: &[u8]) -> Answer {
        self.attach(ATTACHMENTS, &[("file", Some(name), content)]).await
    }
}

pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(width, height).write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

fn path(answer: &Answer) -> String {
    answer.header("location").strip_prefix("http://localhost:8080").unwrap().to_owned()
}

fn kind(answer: &Answer) -> (u16, String) {
    let kind = answer.json()["type"].as_str().unwrap().replace("urn:problem-type:lindero:", "");
    (answer.status.as_u16(), kind)
}

#[tokio::test]
async fn a_photo_is_attached_listed_shown_and_removed() {
    let city = City::new().await;
    let editor = Editor::of(&city, "barrios").await;
    let photo = png(1200, 800);
    let parts = [("caption", None, "Vista al norte".as_bytes()), ("file", Some("fachada ñ.PNG"), photo.as_slice())];
    let added = editor.attach(ATTACHMENTS, &parts).await;
    assert_eq!((added.status, added.header("cache-control")), (StatusCode::CREATED, "no-store"), "{}", added.text());
    let told = added.json();
    assert_eq!((&told["name"], &told["caption"]), (&json!("fachada ñ.PNG"), &json!("Vista al norte")));
    assert_eq!((&told["type"], &told["width"], &told["height"]), (&json!("image/png"), &json!(1200), &json!(800)));

    // Whoever sees the feature sees it.
    let list = city.get(ATTACHMENTS).await.json();
    assert_eq!(list["attachments"], json!([told]));
    assert_eq!(list["limits"]["bytes"], MOST_BYTES);
    assert_eq!(city.get("/collections/barrios/items/2/attachments").await.json()["attachments"], json!([]));

    let shown = city.follow(link(&told, "enclosure").unwrap()).await;
    assert_eq!((shown.status, shown.header("content-type")), (StatusCode::OK, "image/png"));
    assert_eq!(shown.header("content-disposition"), "inline; filename*=UTF-8''fachada%20%C3%B1.PNG");
    assert_eq!(shown.header("content-length"), shown.body.len().to_string());
    assert_eq!(told["sha256"], format!("{:x}", Sha256::digest(&shown.body)));
    // Opened by itself it can do nothing in our name.
    assert_eq!(shown.header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(
        (shown.header("x-content-type-options"), shown.header("cache-control")),
        ("nosniff", "public, no-cache")
    );
    let again = city.get_with(&path(&added), &[("if-none-match", shown.header("etag"))]).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let preview = city.follow(link(&told, "preview").unwrap()).await;
    assert_eq!((preview.status, preview.header("content-type")), (StatusCode::OK, "image/jpeg"));
    assert!(!preview.headers.contains_key("content-disposition"));
    let small = image::load_from_memory(&preview.body).unwrap();
    assert_eq!((small.width(), small.height()), (512, 341));

    let page = city.get("/collections/barrios/items/1?f=html").await.text();
    assert!(page.contains(&format!("src=\"{}\"", link(&told, "preview").unwrap())), "{page}");
    assert!(page.contains("Vista al norte"), "{page}");

    assert_eq!(city.ask("DELETE", &path(&added), &[]).await.status, StatusCode::FORBIDDEN);
    let removed = editor.send("DELETE", &path(&added), &[], &Value::Null).await;
    assert_eq!((removed.status, removed.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(city.get(&path(&added)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(city.get(ATTACHMENTS).await.json()["attachments"], json!([]));
}

#[tokio::test]
async fn a_document_is_saved_and_not_shown() {
    let city = City::new().await;
    let editor = Editor::of(&city, "barrios").await;
    let added = editor.attach_file("../acta\\n.exe", b"%PDF-1.7\n%%EOF\n").await;
    assert_eq!((added.status, &added.json()["name"]), (StatusCode::CREATED, &json!("n.exe.pdf")), "{}", added.text());
    assert!(added.json().get("width").is_none() && link(&added.json(), "preview").is_none());
    let saved = city.get(&path(&added)).await;
    assert_eq!(saved.header("content-disposition"), "attachment; filename*=UTF-8''n.exe.pdf");
    assert_eq!(saved.body, b"%PDF-1.7\n%%EOF\n");
    assert_eq!(city.get(&format!("{}/preview", path(&added))).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_cannot_be_attached_is_refused_by_what_it_is() {
    let city = City::new().await;
    let editor = Editor::of(&city, "barrios").await;
    let page = editor.attach_file("foto.jpg", b"<script>alert(1)</script>").await;
    assert_eq!(kind(&page), (415, "attachment-type".to_owned()));
    let half = png(300, 300);
    assert_eq!(
        kind(&editor.attach_file("a.png", &half[..half.len() / 2]).await),
        (422, "invalid-attachment".to_owned())
    );
    assert_eq!(kind(&editor.attach_file("a.png", b"").await), (422, "invalid-attachment".to_owned()));
    for bytes in [MOST_BYTES + 1, MOST_BYTES + 512 * 1024] {
        let large = [b"%PDF-1.7\n".as_slice(), &vec![b' '; bytes]].concat();
        assert_eq!(kind(&editor.attach_file("a.pdf", &large).await), (413, "attachment-too-large".to_owned()));
    }
    let long = "ñ".repeat(501);
    for (caption, parts) in [
        (true, vec![("caption", None, long.as_bytes()), ("file", Some("a.pdf"), b"%PDF-1.7\n".as_slice())]),
        (true, vec![("caption", None, b"a\0b".as_slice()), ("file", Some("a.pdf"), b"%PDF-1.7\n")]),
        (true, vec![("caption", None, b"\xff\xfe".as_slice()), ("file", Some("a.pdf"), b"%PDF-1.7\n")]),
        (false, vec![("caption", None, b"sin archivo".as_slice())]),
        (false, vec![("file", Some("a.pdf"), b"%PDF-1.7\n".as_slice()), ("file", Some("b.pdf"), b"%PDF-1.7\n")]),
    ] {
        let refused = editor.attach(ATTACHMENTS, &parts).await;
        assert_eq!(kind(&refused), (400, "invalid-parameter".to_owned()), "{parts:?}");
        assert_eq!(refused.json()["parameter"], if caption { "caption" } else { "file" });
    }
    let other = editor.attach(ATTACHMENTS, &[("titulo", None, b"x")]).await;
    assert_eq!((kind(&other).0, &other.json()["parameter"]), (400, &json!("titulo")));
    let no_form = editor.send("POST", ATTACHMENTS, &[], &json!({})).await;
    assert_eq!(kind(&no_form), (415, "unsupported-media-type".to_owned()));
    let cut = form(&[("file", Some("a.pdf"), b"%PDF-1.7\n")]);
    let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let headers = [("authorization", editor.key.as_str()), ("content-type", media_type.as_str())];
    let cut = city.send_bytes("POST", ATTACHMENTS, &headers, cut[..cut.len() - 10].to_vec()).await;
    assert_eq!(kind(&cut), (400, "bad-request".to_owned()));
    assert_eq!(city.get(ATTACHMENTS).await.json()["attachments"], json!([]));
}

#[tokio::test]
async fn files_that_come_all_at_once_are_told_to_come_back() {
    let city = City::new().await;
    let editor = Editor::of(&city, "barrios").await;
    let all = city.state.uploads.acquire_many(city.state.uploads.available_permits() as u32).await.unwrap();
    let refused = editor.attach_file("a.pdf", b"%PDF-1.7\n").await;
    assert_eq!((kind(&refused), refused.header("retry-after")), ((503, "unavailable".to_owned()), "5"));
    drop(all);
    assert_eq!(editor.attach_file("a.pdf", b"%PDF-1.7\n").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn an_attachment_is_seen_by_whoever_sees_its_feature() {
    let city = City::new().await;
    let editor = Editor::of(&city, "barrios").await;
    let added = editor.attach_file("acta.pdf", b"%PDF-1.7\n").await;
    let id = added.json()["id"].as_str().unwrap().to_owned();
    // By another feature, another layer, as another's guess.
    for elsewhere in [
        format!("/collections/barrios/items/2/attachments/{id}"),
        format!("/collections/vias/items/1/attachments/{id}"),
        format!("/collections/expedientes/items/1/attachments/{id}"),
        "/collections/expedientes/items/1/attachments".to_owned(),
        "/collections/barrios/items/999/attachments".to_owned(),
        format!("{ATTACHMENTS}/{}", uuid::Uuid::now_v7()),
        format!("{ATTACHMENTS}/1"),
    ] {
        assert_eq!(city.get(&elsewhere).await.status, StatusCode::NOT_FOUND, "{elsewhere}");
    }
    let elsewhere = format!("/collections/barrios/items/2/attachments/{id}");
    let refused = editor.send("DELETE", &elsewhere, &[], &Value::Null).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    // Of another's layer.
    let other = Editor::named(&city, "otra", "vias").await;
    assert_eq!(kind(&other.attach_file("a.pdf", b"%PDF-1.7\n").await), (403, "forbidden".to_owned()));
    assert_eq!(other.send("DELETE", &path(&added), &[], &Value::Null).await.status, StatusCode::FORBIDDEN);
    assert_eq!(city.get(&path(&added)).await.status, StatusCode::OK);

    let (db, barrios) = (city.db.database(), "barrios".parse().unwrap());
    let mut definition = catalog::get(OPERATOR, db, &barrios).await.unwrap().definition;
    definition.visibility = Visibility::Reservada;
    catalog::describe(OPERATOR, db, &barrios, &definition).await.unwrap();
    for hidden in [path(&added), ATTACHMENTS.to_owned()] {
        assert_eq!(city.get(&hidden).await.status, StatusCode::NOT_FOUND, "{hidden}");
    }
}

#[tokio::test]
async fn a_file_that_is_lost_or_a_store_that_fails_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("adjuntos");
    let location = layers::attachment::StoreLocation::Folder(store.clone());
    let city = City::with(Settings { attachment_store: Some(location), ..Settings::default() }).await;
    let editor = Editor::of(&city, "barrios").await;
    let added = editor.attach_file("acta.pdf", b"%PDF-1.7\n").await;
    std::fs::remove_dir_all(&store).unwrap();
    let lost = city.get(&path(&added)).await;
    assert_eq!(kind(&lost), (410, "gone".to_owned()));
    assert!(!lost.text().contains(store.to_str().unwrap()));
    // A file where the folder was: nothing can be written.
    std::fs::write(&store, "").unwrap();
    let failed = editor.attach_file("acta.pdf", b"%PDF-1.7\n").await;
    assert_eq!(kind(&failed), (503, "unavailable".to_owned()));
    assert!(!failed.text().contains(store.to_str().unwrap()));
    assert_eq!(city.get(ATTACHMENTS).await.json()["attachments"].as_array().unwrap().len(), 1);
}
