//! Photos and documents of features.
#![allow(clippy::unwrap_used, reason = "tests")]

mod lots;
mod support;

use std::io::Cursor;

use access::{Caller, Database, Visibility};
use bytes::Bytes;
use chrono::TimeDelta;
use futures::{StreamExt, TryStreamExt};
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Rgb, RgbImage};
use img_parts::jpeg::{Jpeg, JpegSegment, markers};
use img_parts::png::{Png, PngChunk};
use img_parts::riff::{RiffChunk, RiffContent};
use img_parts::webp::WebP;
use img_parts::{ImageEXIF, ImageICC};
use layers::attachment::{self, Attachment, AttachmentError, ContentError, NewAttachment, Part, Store, StoreLocation};
use layers::catalog;
use layers::edit::{self, Edit, EditError};
use layers::features::FeatureError;
use layers::history;
use serde_json::Value as Json;
use support::{OPERATOR, id};
use testdb::TestDatabase;
use uuid::Uuid;

use lots::{editor, layer, lot, lots};

/// What no file that is kept may hold.
const SECRET: &[u8] = b"4.4389N 75.2322W";

struct Scene {
    test: TestDatabase,
    store: Store,
    folder: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let test = TestDatabase::new().await;
        lots(test.database()).await;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreLocation::Folder(folder.path().join("adjuntos"))).unwrap();
        Self { test, store, folder }
    }

    fn db(&self) -> &Database {
        self.test.database()
    }

    async fn add(
        &self,
        caller: &Caller,
        feature: i64,
        name: &str,
        content: Bytes,
    ) -> Result<Attachment, AttachmentError> {
        let new = NewAttachment { name: name.to_owned(), caption: None, content };
        attachment::add(caller, self.db(), &self.store, &id("lotes"), feature, new).await
    }

    async fn list(&self, feature: i64) -> Vec<Attachment> {
        let layer = layer(self.db(), &editor()).await;
        attachment::list(&editor(), self.db(), &layer, &feature.to_string()).await.unwrap()
    }

    async fn read(&self, attachment: &Attachment, part: Part) -> Vec<u8> {
        let file = attachment::open(&self.store, attachment, part).await.unwrap();
        file.try_collect::<Vec<_>>().await.unwrap().concat()
    }

    /// The files in the store, by their names.
    fn files(&self) -> Vec<String> {
        let folders = std::fs::read_dir(self.folder.path().join("adjuntos")).unwrap();
        let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }
}

/// Wide, and dark at the left.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 255 / width) as u8, 40, (y * 255 / height) as u8]))
}

fn encoded(format: ImageFormat) -> Bytes {
    let mut out = Cursor::new(Vec::new());
    picture(900, 600).write_to(&mut out, format).unwrap();
    out.into_inner().into()
}

/// EXIF with an orientation (rotate by 90 degrees), and a text besides.
fn exif() -> Bytes {
    let mut exif =
        b"MM\0*\0\0\0\x08\0\x02\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\x01\x0e\0\x02\0\0\0\x11\0\0\0\x26\0\0\0\0".to_vec();
    exif.extend_from_slice(SECRET);
    exif.push(0);
    exif.into()
}

/// As a telephone makes it: where and when in every place that a JPEG has for it.
fn photograph() -> Bytes {
    let mut out = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut out, 90);
    encoder.set_icc_profile(b"a profile of colours".to_vec()).unwrap();
    picture(900, 600).write_with_encoder(encoder).unwrap();
    let mut jpeg = Jpeg::from_bytes(out.into()).unwrap();
    jpeg.set_exif(Some(exif()));
    for marker in [markers::APP1, markers::APP2, markers::APP13, markers::COM] {
        let begins: &[u8] = if marker == markers::APP2 { b"MPF\0" } else { b"http://ns.adobe.com/xap/1.0/\0" };
        let segment = JpegSegment::new_with_contents(marker, [begins, SECRET].concat().into());
        jpeg.segments_mut().insert(1, segment);
    }
    // A second picture behind it, with its own.
    let mut photograph = jpeg.encoder().bytes().to_vec();
    let second = photograph.clone();
    photograph.extend_from_slice(&second);
    photograph.into()
}

fn drawing() -> Bytes {
    let mut png = Png::from_bytes(encoded(ImageFormat::Png)).unwrap();
    png.set_exif(Some(exif()));
    let text = PngChunk::new(*b"tEXt", [b"Location\0", SECRET].concat().into());
    png.chunks_mut().insert(1, text);
    png.encoder().bytes()
}

fn webp() -> Bytes {
    let mut webp = WebP::from_bytes(encoded(ImageFormat::WebP)).unwrap();
    webp.set_exif(Some(exif()));
    webp.chunks_mut().push(RiffChunk::new(*b"XMP ", RiffContent::Data(Bytes::from_static(SECRET))));
    webp.encoder().bytes()
}

fn decoded(bytes: &[u8]) -> (DynamicImage, Orientation) {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().unwrap();
    let mut decoder = reader.into_decoder().unwrap();
    let orientation = decoder.orientation().unwrap();
    (DynamicImage::from_decoder(decoder).unwrap(), orientation)
}

fn holds_secret(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window == SECRET)
}

#[tokio::test]
async fn a_photo_is_kept_pixel_for_pixel_without_where_it_was_taken() {
    let scene = Scene::new().await;
    for (name, media_type, photo) in [
        ("vía.jpg", "image/jpeg", photograph()),
        ("plano.png", "image/png", drawing()),
        ("a.webp", "image/webp", webp()),
    ] {
        assert!(holds_secret(&photo), "{name}");
        let added = scene.add(&editor(), 1, name, photo.clone()).await.unwrap();
        assert_eq!((added.name.as_str(), added.media_type.as_str()), (name, media_type));
        // As it is shown: turned.
        assert_eq!(added.pixels, Some((600, 900)), "{name}");
        let kept = scene.read(&added, Part::Whole).await;
        assert_eq!(added.size as usize, kept.len());
        assert!(!holds_secret(&kept), "{name}");
        assert_eq!(decoded(&kept), decoded(&photo), "{name}");
        assert_eq!(decoded(&kept).1, Orientation::Rotate90, "{name}");
        let preview = scene.read(&added, Part::Preview).await;
        assert!(!holds_secret(&preview));
        let (preview, turned) = decoded(&preview);
        assert_eq!((preview.width(), preview.height(), turned), (341, 512, Orientation::NoTransforms), "{name}");
        // What was at the left is at the top.
        let (top, bottom) = (preview.to_rgb8().get_pixel(170, 5)[0], preview.to_rgb8().get_pixel(170, 506)[0]);
        assert!(top < 20 && bottom > 235, "{name}: {top} {bottom}");
    }
    let jpeg = scene.read(&scene.list(1).await[0], Part::Whole).await;
    assert_eq!(Jpeg::from_bytes(jpeg.into()).unwrap().icc_profile().unwrap(), "a profile of colours");
    let audited: Vec<(String, String, Json)> =
        sqlx::query_as("SELECT account_name, subject, detail FROM access.audit WHERE action = 'add_attachment'")
            .fetch_all(scene.db().app())
            .await
            .unwrap();
    assert_eq!(audited.len(), 3);
    assert_eq!((audited[0].0.as_str(), audited[0].1.as_str()), ("editora", "1"));
    assert!(!audited[0].2.to_string().contains("vía"), "{}", audited[0].2);
}

#[tokio::test]
async fn what_is_no_photo_and_no_document_is_refused_and_leaves_nothing() {
    let scene = Scene::new().await;
    let cut = |file: Bytes| file.slice(..file.len() * 2 / 3);
    let mut bomb = Png::from_bytes(encoded(ImageFormat::Png)).unwrap();
    let mut header = bomb.chunks()[0].contents().to_vec();
    header[..8].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    bomb.chunks_mut()[0] = PngChunk::new(*b"IHDR", header.into());
    for (what, file, refusal) in [
        ("nothing", Bytes::new(), ContentError::Empty),
        ("a page", "<!doctype html><script>alert(1)</script>".into(), ContentError::MediaType),
        (
            "a drawing that can run",
            "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".into(),
            ContentError::MediaType,
        ),
        ("a program", Bytes::from_static(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0"), ContentError::MediaType),
        ("half a JPEG", cut(encoded(ImageFormat::Jpeg)), ContentError::Broken),
        ("half a PNG", cut(encoded(ImageFormat::Png)), ContentError::Broken),
        ("half a WebP", cut(encoded(ImageFormat::WebP)), ContentError::Broken),
        ("a bomb", bomb.encoder().bytes(), ContentError::Pixels { width: 30_000, height: 30_000 }),
        ("too much", [b"%PDF-1.7\n", &vec![b' '; attachment::MOST_BYTES][..]].concat().into(), ContentError::Large),
    ] {
        match scene.add(&editor(), 1, "foto.jpg", file).await {
            Err(AttachmentError::Content(error)) => assert_eq!(error, refusal, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
    }
    assert_eq!((scene.files(), scene.list(1).await), (Vec::<String>::new(), Vec::new()));
}

#[tokio::test]
async fn who_may_not_edit_neither_adds_nor_removes_and_who_does_not_see_reads_none() {
    let scene = Scene::new().await;
    let added = scene.add(&editor(), 1, "acta.pdf", pdf(1)).await.unwrap();
    let stranger = &Caller::ANONYMOUS;
    let refused = scene.add(stranger, 1, "acta.pdf", pdf(2)).await.unwrap_err();
    assert!(matches!(refused, AttachmentError::Edit(EditError::Denied(_) | EditError::Catalog(_))), "{refused:?}");
    let refused = attachment::remove(stranger, scene.db(), &scene.store, &id("lotes"), 1, added.id).await.unwrap_err();
    assert!(matches!(refused, AttachmentError::Edit(EditError::Denied(_) | EditError::Catalog(_))), "{refused:?}");
    // By the layer as another saw it: what is reserved since does not exist.
    let mut hidden = layer(scene.db(), OPERATOR).await;
    hidden.definition.visibility = Visibility::Reservada;
    for refused in [
        attachment::list(stranger, scene.db(), &hidden, "1").await.unwrap_err(),
        attachment::get(stranger, scene.db(), &hidden, "1", added.id).await.unwrap_err(),
    ] {
        assert!(matches!(refused, AttachmentError::Feature(FeatureError::UnknownLayer(_))), "{refused:?}");
    }
    // Of a feature that there is not, and by another's.
    let refused = scene.add(&editor(), 99, "acta.pdf", pdf(2)).await.unwrap_err();
    assert!(matches!(refused, AttachmentError::Feature(FeatureError::UnknownFeature { .. })), "{refused:?}");
    let lots = layer(scene.db(), &editor()).await;
    let refused = attachment::get(&editor(), scene.db(), &lots, "2", added.id).await.unwrap_err();
    assert!(matches!(refused, AttachmentError::Unknown(_)), "{refused:?}");
    let refused = attachment::remove(&editor(), scene.db(), &scene.store, &lots.id, 2, added.id).await.unwrap_err();
    assert!(matches!(refused, AttachmentError::Unknown(_)), "{refused:?}");
    assert_eq!(scene.list(1).await, [added]);
}

fn pdf(number: usize) -> Bytes {
    format!("%PDF-1.7\n% acta {number}\n%%EOF\n").into()
}

#[tokio::test]
async fn a_feature_that_comes_back_has_its_attachments_again() {
    let scene = Scene::new().await;
    let (db, caller) = (scene.db(), &editor());
    let added = scene.add(caller, 2, "acta.pdf", pdf(1)).await.unwrap();
    let (_, expected) = lot(db, caller, 2).await;
    edit::apply(caller, db, &id("lotes"), &[Edit::Delete { id: 2, expected }], None).await.unwrap();
    let lots = layer(db, caller).await;
    let gone = attachment::list(caller, db, &lots, "2").await.unwrap_err();
    assert!(matches!(gone, AttachmentError::Feature(FeatureError::UnknownFeature { .. })), "{gone:?}");
    history::revert(caller, db, &lots.id, 2, 1, None, None).await.unwrap();
    assert_eq!(scene.list(2).await, std::slice::from_ref(&added));
    attachment::remove(caller, db, &scene.store, &lots.id, 2, added.id).await.unwrap();
    assert_eq!((scene.list(2).await, scene.files()), (Vec::new(), Vec::<String>::new()));
    let lost = attachment::open(&scene.store, &added, Part::Whole).await.err().unwrap();
    assert!(matches!(lost, AttachmentError::Lost(_)), "{lost:?}");
}

#[tokio::test]
async fn more_than_the_most_are_refused_however_many_send_at_once() {
    let scene = Scene::new().await;
    let caller = editor();
    let most = attachment::MOST as usize;
    let outcomes: Vec<_> = futures::stream::iter(0..most + 5)
        .map(|number| scene.add(&caller, 1, "acta.pdf", pdf(number)))
        .buffer_unordered(8)
        .collect()
        .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), most);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Err(AttachmentError::TooMany))).count(), 5);
    // Those that were refused left no file.
    assert_eq!((scene.list(1).await.len(), scene.files().len()), (most, most));
}

#[tokio::test]
async fn a_sweep_removes_what_nobody_names_and_leaves_what_is_not_ours() {
    let scene = Scene::new().await;
    let kept = scene.add(&editor(), 1, "foto.png", encoded(ImageFormat::Png)).await.unwrap();
    // As a process leaves it that was killed between file and row.
    let orphan = Uuid::now_v7().as_simple().to_string();
    let folder = scene.folder.path().join("adjuntos").join(&orphan[30..]);
    std::fs::create_dir_all(&folder).unwrap();
    for name in [orphan.clone(), format!("{orphan}.preview"), "leame.txt".to_owned()] {
        std::fs::write(folder.join(name), "x").unwrap();
    }
    let denied = attachment::sweep(&editor(), scene.db(), &scene.store, TimeDelta::zero()).await.unwrap_err();
    assert!(matches!(denied, AttachmentError::Edit(EditError::Denied(_))), "{denied:?}");
    // Young enough that its upload may be under way.
    assert_eq!(attachment::sweep(OPERATOR, scene.db(), &scene.store, attachment::GRACE).await.unwrap(), 0);
    assert_eq!(attachment::sweep(OPERATOR, scene.db(), &scene.store, TimeDelta::zero()).await.unwrap(), 1);
    let id = kept.id.as_simple().to_string();
    let mut left = vec![id.clone(), format!("{id}.preview"), "leame.txt".to_owned()];
    left.sort_unstable();
    assert_eq!(scene.files(), left);
    // Those of a layer go with it.
    catalog::remove(OPERATOR, scene.db(), &support::id("lotes")).await.unwrap();
    assert_eq!(attachment::sweep(OPERATOR, scene.db(), &scene.store, TimeDelta::zero()).await.unwrap(), 1);
    assert_eq!(scene.files(), ["leame.txt"]);
}

#[test]
fn a_location_is_a_folder_or_a_bucket() {
    let bucket = StoreLocation::Bucket { bucket: "ibague".to_owned(), prefix: "adjuntos/sig".to_owned() };
    assert_eq!("s3://ibague/adjuntos/sig/".parse::<StoreLocation>().unwrap(), bucket);
    assert_eq!("/srv/adjuntos".parse::<StoreLocation>().unwrap(), StoreLocation::Folder("/srv/adjuntos".into()));
    for wrong in ["adjuntos", "s3://", "s3:///a", "s3://a/b//c", "https://a/b", ""] {
        let error = wrong.parse::<StoreLocation>().unwrap_err().to_string();
        assert!(error.contains("s3://bucket/prefix"), "{error}");
    }
}
