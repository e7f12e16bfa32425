//! `/admin/layers`: what is said of the layers that one manages.

use access::{Caller, Permission};
use axum::extract::State;
use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use layers::LayerId;
use layers::catalog::{self, LayerChange, Managed};
use serde_json::{Value, json};

use crate::http::AppState;
use crate::http::document::own;
use crate::http::extract::{Extension, Json, Path};
use crate::http::precondition::{expected, quoted};
use crate::http::problem::{Problem, Result};
use crate::http::routes::{Routes, Rule};

pub(super) fn routes() -> Routes {
    Routes::default()
        .get("/admin/layers", Rule::May(Permission::ManageLayers), list)
        .get("/admin/layers/{layer}", Rule::May(Permission::ManageLayers), show)
        .patch("/admin/layers/{layer}", Rule::May(Permission::ManageLayers), change)
}

async fn list(State(state): State<AppState>, Extension(caller): Extension<Caller>) -> Result<Response> {
    let managed = catalog::list_managed(&caller, &state.database).await?;
    let layers: Vec<Value> = managed.iter().map(summary).collect();
    Ok(own(StatusCode::OK, &json!({ "layers": layers })))
}

async fn show(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(layer): Path<String>,
) -> Result<Response> {
    Ok(answer(&catalog::get_managed(&caller, &state.database, &id(&layer)?).await?))
}

async fn change(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(layer): Path<String>,
    headers: HeaderMap,
    Json(change): Json<LayerChange>,
) -> Result<Response> {
    let layer = id(&layer)?;
    // Whoever may not know of the layer is told so first.
    catalog::get_managed(&caller, &state.database, &layer).await?;
    let expected = expected(&headers, "layer")?;
    Ok(match catalog::change(&caller, &state.database, &layer, &expected, &change).await? {
        Some(managed) => answer(&managed),
        // Who changed it may not see it any more.
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

fn id(layer: &str) -> Result<LayerId> {
    layer.parse().map_err(|_| Problem::not_found(format!("there is no layer {layer:?}")))
}

fn answer(managed: &Managed) -> Response {
    let mut document = summary(managed);
    document["version"] = managed.version.as_str().into();
    document["definition"] = json!(managed.layer.definition);
    let mut response = own(StatusCode::OK, &document);
    if let Ok(tag) = HeaderValue::from_str(&quoted(&managed.version)) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn summary(Managed { layer, .. }: &Managed) -> Value {
    let definition = &layer.definition;
    json!({
        "id": layer.id,
        "municipality": layer.municipality,
        "kind": layer.kind,
        "title": definition.title,
        "sector": definition.sector,
        "sector_title": definition.sector.title(),
        "visibility": definition.visibility,
        "subject": definition.subject,
        "dependency": definition.dependency,
        "geometry_type": layer.geometry_type,
        "feature_count": layer.feature_count,
        "content_updated_at": layer.content_updated_at,
        "overdue": layer.is_overdue(Utc::now()),
        "classified_attributes": definition.attributes.iter().filter(|attribute| attribute.visibility.is_some()).count(),
    })
}
