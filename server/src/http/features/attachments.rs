//! `/collections/{id}/items/{feature}/attachments`: photos and documents of a
//! feature.

use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Multipart, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LOCATION, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use chrono::SecondsFormat;
use layers::Layer;
use layers::attachment::{self, Attachment, AttachmentError, ContentError, NewAttachment, Part};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::edits::{editable, feature_id, problem as of_edit};
use super::{layer, of_database};
use crate::http::asked::Asked;
use crate::http::document::JSON;
use crate::http::extract::Path;
use crate::http::problem::{Kind, Problem, Result};
use crate::http::{AppState, document};

/// The bytes of a body with a file, at most: the file, and what is around it.
pub(super) const MOST_BYTES: usize = attachment::MOST_BYTES + 64 * 1024;

/// What a document from elsewhere may do in a browser: nothing.
const HARMLESS: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");

pub(super) async fn list(
    State(state): State<AppState>,
    Path((id, feature)): Path<(String, String)>,
    asked: Asked,
) -> Result<Response> {
    asked.finish()?;
    let layer = layer(&state, &asked, &id).await?;
    let found = listed(&state, &asked, &layer, &feature).await?;
    let attachments = found.iter().map(|attachment| told(&asked, &layer, &feature, attachment)).collect::<Vec<_>>();
    let document = json!({
        "attachments": attachments,
        "limits": {
            "attachments": attachment::MOST,
            "bytes": attachment::MOST_BYTES,
            "pixels": attachment::MOST_PIXELS,
            "types": attachment::MEDIA_TYPES,
        },
        "links": [{ "rel": "self", "type": JSON, "href": asked.url_with(&[]) }],
    });
    document::json(&asked, JSON, &document)
}

/// A feature's attachments.
pub(super) async fn listed(state: &AppState, asked: &Asked, layer: &Layer, feature: &str) -> Result<Vec<Attachment>> {
    let found = attachment::list(&asked.caller, &state.database, layer, feature).await;
    found.map_err(|error| problem(asked, layer, error))
}

/// Takes one file. Who asks, and for what, is looked at before the file is.
pub(super) async fn add(
    State(state): State<AppState>,
    Path((id, feature)): Path<(String, String)>,
    asked: Asked,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Response> {
    asked.finish()?;
    let layer = editable(&state, &asked, &id).await?;
    let feature_id = feature_id(&feature)?;
    let form = form.map_err(|rejection| {
        Problem::new(Kind::UnsupportedMediaType)
            .with_detail(format!("send the file as multipart/form-data: {rejection}"))
    })?;
    let _permit = state
        .uploads
        .try_acquire()
        .map_err(|_| Problem::unavailable("too many files are being received; try again in a few seconds"))?;
    let new = read(form).await?;
    let added = attachment::add(&asked.caller, &state.database, &state.attachments, &layer.id, feature_id, new)
        .await
        .map_err(|error| problem(&asked, &layer, error))?;
    let mut response = document::own(StatusCode::CREATED, &told(&asked, &layer, &feature, &added));
    if let Ok(location) = HeaderValue::from_str(&url(&asked, &layer, &feature, &added)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

pub(super) async fn whole(
    State(state): State<AppState>,
    Path((id, feature, attachment)): Path<(String, String, Uuid)>,
    asked: Asked,
) -> Result<Response> {
    file(&state, &asked, (&id, &feature, attachment), Part::Whole).await
}

pub(super) async fn preview(
    State(state): State<AppState>,
    Path((id, feature, attachment)): Path<(String, String, Uuid)>,
    asked: Asked,
) -> Result<Response> {
    file(&state, &asked, (&id, &feature, attachment), Part::Preview).await
}

pub(super) async fn remove(
    State(state): State<AppState>,
    Path((id, feature, attachment)): Path<(String, String, Uuid)>,
    asked: Asked,
) -> Result<StatusCode> {
    asked.finish()?;
    let layer = editable(&state, &asked, &id).await?;
    let feature = feature_id(&feature)?;
    attachment::remove(&asked.caller, &state.database, &state.attachments, &layer.id, feature, attachment)
        .await
        .map_err(|error| problem(&asked, &layer, error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// A file as it is kept. Nothing of it changes under its id, but who may see it
/// does: it is asked for again each time.
async fn file(
    state: &AppState,
    asked: &Asked,
    (id, feature, attachment): (&str, &str, Uuid),
    part: Part,
) -> Result<Response> {
    asked.finish()?;
    let layer = layer(state, asked, id).await?;
    let problem = |error| problem(asked, &layer, error);
    let found = attachment::get(&asked.caller, &state.database, &layer, feature, attachment).await.map_err(problem)?;
    let (tag, media_type) = match part {
        Part::Whole => (format!("\"{}\"", found.digest()), found.media_type.as_str()),
        Part::Preview => (format!("\"{}.preview\"", found.digest()), attachment::PREVIEW_TYPE),
    };
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, document::freshness(asked));
    headers.insert(VARY, HeaderValue::from_static("cookie, authorization"));
    headers.insert(CONTENT_SECURITY_POLICY, HARMLESS);
    let mut insert = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    insert(ETAG, &tag);
    insert(CONTENT_TYPE, media_type);
    if part == Part::Whole {
        // A preview is no file of that name.
        insert(CONTENT_DISPOSITION, &disposition(&found));
        insert(CONTENT_LENGTH, &found.size.to_string());
    }
    if asked.has(&tag) {
        headers.remove(CONTENT_LENGTH);
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let file = attachment::open(&state.attachments, &found, part).await.map_err(problem)?;
    Ok((headers, Body::from_stream(file)).into_response())
}

/// A photograph is shown in the page, a document is saved (RFC 6266).
fn disposition(attachment: &Attachment) -> String {
    /// What stands for itself (RFC 8187, `attr-char`).
    const ATTR_CHAR: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'!').remove(b'+');
    let kind = if attachment.media_type.starts_with("image/") { "inline" } else { "attachment" };
    format!("{kind}; filename*=UTF-8''{}", utf8_percent_encode(&attachment.name, ATTR_CHAR))
}

/// The parts `caption` and `file`, each at most once.
async fn read(mut form: Multipart) -> Result<NewAttachment> {
    let (mut caption, mut file) = (None, None);
    while let Some(part) = form.next_field().await.map_err(|error| broken(&error))? {
        match part.name() {
            Some("caption") if caption.is_none() => {
                // Of four bytes a character at most.
                let bytes = bytes_of(part, 4 * attachment::MOST_CAPTION)
                    .await?
                    .ok_or_else(|| Problem::invalid_parameter("caption", AttachmentError::Caption))?;
                let text = String::from_utf8(bytes.into())
                    .ok()
                    .filter(|text| !text.contains('\0'))
                    .ok_or_else(|| Problem::invalid_parameter("caption", "the caption is no text in UTF-8"))?;
                caption = Some(text);
            }
            Some("file") if file.is_none() => {
                let name = part.file_name().unwrap_or_default().to_owned();
                let bytes =
                    bytes_of(part, attachment::MOST_BYTES).await?.ok_or_else(|| of_content(&ContentError::Large))?;
                file = Some((name, bytes));
            }
            name => {
                let detail = "expected the parts \"caption\" and \"file\", each once";
                return Err(Problem::invalid_parameter(name.unwrap_or_default(), detail));
            }
        }
    }
    let (name, content) = file.ok_or_else(|| Problem::invalid_parameter("file", "the part \"file\" is missing"))?;
    Ok(NewAttachment { name, caption, content })
}

/// A part's content; none where it has more bytes than that.
async fn bytes_of(mut part: Field<'_>, most: usize) -> Result<Option<Bytes>> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = part.chunk().await.map_err(|error| broken(&error))? {
        if bytes.len() + chunk.len() > most {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes.freeze()))
}

fn broken(error: &MultipartError) -> Problem {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => of_content(&ContentError::Large),
        _ => Problem::bad_request(format!("the form cannot be read: {}", error.body_text())),
    }
}

/// An attachment as it is told.
fn told(asked: &Asked, layer: &Layer, feature: &str, attachment: &Attachment) -> Value {
    let url = url(asked, layer, feature, attachment);
    let mut links =
        vec![json!({ "rel": "enclosure", "type": attachment.media_type, "href": url, "length": attachment.size })];
    if attachment.pixels.is_some() {
        links.push(json!({ "rel": "preview", "type": attachment::PREVIEW_TYPE, "href": format!("{url}/preview") }));
    }
    let mut told = json!({
        "id": attachment.id,
        "name": attachment.name,
        "type": attachment.media_type,
        "size": attachment.size,
        "sha256": attachment.digest(),
        "created": attachment.created.to_rfc3339_opts(SecondsFormat::Secs, true),
        "links": links,
    });
    if let Some(caption) = &attachment.caption {
        told["caption"] = json!(caption);
    }
    if let Some((width, height)) = attachment.pixels {
        told["width"] = json!(width);
        told["height"] = json!(height);
    }
    told
}

fn url(asked: &Asked, layer: &Layer, feature: &str, attachment: &Attachment) -> String {
    let feature = utf8_percent_encode(feature, NON_ALPHANUMERIC);
    asked.base.join(&format!("/collections/{}/items/{feature}/attachments/{}", layer.id, attachment.id))
}

fn of_content(error: &ContentError) -> Problem {
    let kind = match error {
        ContentError::Large => Kind::AttachmentTooLarge,
        ContentError::MediaType => Kind::AttachmentType,
        ContentError::Empty | ContentError::Broken | ContentError::Pixels { .. } => Kind::InvalidAttachment,
    };
    Problem::new(kind).with_detail(error)
}

fn problem(asked: &Asked, layer: &Layer, error: AttachmentError) -> Problem {
    match error {
        AttachmentError::Edit(error) => of_edit(asked, layer, error),
        AttachmentError::Feature(error) => error.into(),
        AttachmentError::Unknown(_) => Problem::not_found(error),
        AttachmentError::Caption => Problem::invalid_parameter("caption", error),
        AttachmentError::Content(error) => of_content(&error),
        AttachmentError::TooMany => Problem::new(Kind::TooManyAttachments).with_detail(error),
        AttachmentError::Lost(id) => {
            tracing::error!(attachment = %id, layer = %layer.id, "the file of an attachment is not in the store");
            Problem::new(Kind::Gone).with_detail("the file is not in the store any more; tell whoever runs the server")
        }
        AttachmentError::Store(error) => {
            tracing::error!(%error, "the attachments' store failed");
            Problem::unavailable("the files cannot be reached at the moment; try again in a few seconds")
        }
        AttachmentError::Database(cause) => of_database(cause),
        AttachmentError::Examine(error) => Problem::internal(&error),
    }
}
