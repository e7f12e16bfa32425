//! A server over a small city, in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use access::{Caller, Subject, Visibility};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use layers::catalog::{self, Publication, Registration};
use layers::municipality::{self, Municipality};
use layers::{
    Attribute, AttributeType, Dimension, Domain, DomainValue, Extent, GeometryType, LayerDefinition, Sector, Text,
    UpdateFrequency, ZoomRule,
};
use lindero::config::Settings;
use lindero::freshness::Freshness;
use lindero::http::{AppState, router};
use serde_json::Value;
use testdb::TestDatabase;
use tiles::engine::IndexedTiles;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub(crate) struct City {
    pub(crate) db: TestDatabase,
    pub(crate) router: Router,
    pub(crate) state: AppState,
    pub(crate) freshness: Arc<Freshness>,
    pub(crate) tiles: Arc<IndexedTiles>,
    pub(crate) stopping: CancellationToken,
    /// Its data directory, its own: servers of several databases must not share one.
    _data: tempfile::TempDir,
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl City {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(mut settings: Settings) -> Self {
        let data = tempfile::tempdir().unwrap();
        settings.data_dir = Some(data.path().to_owned());
        // A test asks as much as it likes, where limits are not what it looks at.
        for rate in
            [&mut settings.rate_address, &mut settings.rate_account, &mut settings.rate_key, &mut settings.rate_write]
        {
            rate.get_or_insert(0);
        }
        let db = TestDatabase::new().await;
        fill(&db).await;
        let file = tempfile::NamedTempFile::new().unwrap();
        let config = settings.resolve(Some(file.path())).unwrap();
        let attachments = layers::attachment::Store::open(&config.attachment_store).unwrap();
        let state = AppState::new(db.database().clone(), Arc::new(config), attachments);
        let (freshness, tiles) = (Arc::clone(&state.freshness), Arc::clone(&state.tiles));
        let stopping = state.stopping.clone();
        Self { db, router: router(state.clone()), state, freshness, tiles, stopping, _data: data }
    }

    pub(crate) async fn get(&self, uri: &str) -> Answer {
        self.ask("GET", uri, &[]).await
    }

    pub(crate) async fn get_with(&self, uri: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", uri, headers).await
    }

    pub(crate) async fn ask(&self, method: &str, uri: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(method, uri, headers, Body::empty()).await
    }

    /// Sends a document as JSON.
    pub(crate) async fn put_in(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        self.send(method, uri, &headers, Body::from(body.to_string())).await
    }

    /// Sends a text as it is.
    pub(crate) async fn send_text(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: String) -> Answer {
        self.send(method, uri, headers, Body::from(body)).await
    }

    /// Sends bytes as they are.
    pub(crate) async fn send_bytes(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        self.send(method, uri, headers, Body::from(body)).await
    }

    async fn send(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let mut request = Request::builder().method(method).uri(uri);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost:8080");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 4000));
        let request = request.extension(ConnectInfo(peer)).body(body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 256 << 20).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Follows a link of a document: the address without its origin.
    pub(crate) async fn follow(&self, href: &str) -> Answer {
        self.get(href.strip_prefix("http://localhost:8080").unwrap_or_else(|| panic!("{href}"))).await
    }

    /// Listens on a free port of loopback until the test ends.
    pub(crate) async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        format!("http://{address}")
    }
}

pub(crate) fn link<'a>(document: &'a Value, rel: &str) -> Option<&'a str> {
    document["links"].as_array()?.iter().find(|link| link["rel"] == rel)?["href"].as_str()
}

fn attribute(name: &str, kind: AttributeType, es: &str, en: &str) -> Attribute {
    Attribute {
        name: name.to_owned(),
        kind,
        title: Text { es: es.to_owned(), en: en.to_owned() },
        ..Attribute::default()
    }
}

fn definition(es: &str, en: &str, attributes: Vec<Attribute>) -> LayerDefinition {
    LayerDefinition {
        title: Text { es: es.to_owned(), en: en.to_owned() },
        visibility: Visibility::Publica,
        attributes,
        ..LayerDefinition::default()
    }
}

fn barrios() -> LayerDefinition {
    let values = (1..=6).map(|n| DomainValue {
        value: n.to_string(),
        title: Text { es: format!("Estrato {n}"), en: format!("Stratum {n}") },
        color: Some("#336699".to_owned()),
    });
    let estrato = Attribute {
        domain: Some(Domain::Values(values.collect())),
        ..attribute("estrato", AttributeType::Integer, "Estrato", "Stratum")
    };
    let area = Attribute {
        unit: Some("m2".to_owned()),
        domain: Some(Domain::Range { min: 0.0, max: 1e6 }),
        ..attribute("area_m2", AttributeType::Number, "Área", "Area")
    };
    LayerDefinition {
        description: Text { es: "Los barrios de la ciudad".to_owned(), en: "The city's barrios".to_owned() },
        sector: Sector::new("planeacion"),
        dependency: "Secretaría de Planeación".to_owned(),
        source: "Acuerdo <116> & anexos".to_owned(),
        update_frequency: UpdateFrequency::Annually,
        natural_key: Some("codigo".to_owned()),
        label: Some("nombre".to_owned()),
        classify_by: Some("estrato".to_owned()),
        min_zoom: 10,
        ..definition(
            "Barrios",
            "Barrios (en)",
            vec![
                attribute("codigo", AttributeType::Text, "Código", "Code"),
                attribute("nombre", AttributeType::Text, "Nombre", "Name"),
                estrato,
                area,
                attribute("fundado", AttributeType::Date, "Fundado", "Founded"),
                attribute("revisado", AttributeType::DateTime, "Revisado", "Reviewed"),
                attribute("activo", AttributeType::Boolean, "Activo", "Active"),
                attribute("ficha", AttributeType::Json, "Ficha", "Sheet"),
            ],
        )
    }
}

fn named(es: &str, en: &str, other: &str) -> LayerDefinition {
    LayerDefinition {
        label: Some("nombre".to_owned()),
        ..definition(
            es,
            en,
            vec![
                attribute("nombre", AttributeType::Text, "Nombre", "Name"),
                attribute(other, AttributeType::Text, "", ""),
            ],
        )
    }
}

async fn fill(db: &TestDatabase) {
    let operator = &Caller::OPERATOR;
    let database = db.database();
    let ibague = Municipality {
        code: "73001".parse().unwrap(),
        name: "Ibagué".to_owned(),
        department: "Tolima".to_owned(),
        inhabitants: Some(530_000),
        extent: Extent { west: -75.6, south: 4.2, east: -74.9, north: 4.7 },
    };
    municipality::put(operator, database, &ibague).await.unwrap();
    let mut admin = db.superuser().await;
    sqlx::raw_sql(include_str!("city.sql")).execute(&mut admin).await.unwrap();
    sqlx::raw_sql(
        "ALTER TABLE geo.barrios OWNER TO lindero_loader; ALTER TABLE geo.vias OWNER TO lindero_loader; \
         ALTER TABLE geo.sitios OWNER TO lindero_loader; ALTER TABLE geo.expedientes OWNER TO lindero_loader; \
         ALTER TABLE geo.personas OWNER TO lindero_loader; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA geo TO lindero_app",
    )
    .execute(&mut admin)
    .await
    .unwrap();

    let vias = LayerDefinition {
        zoom_rule: Some(ZoomRule {
            attribute: "clase".to_owned(),
            values: [("arterial".to_owned(), 11)].into_iter().collect(),
            otherwise: 14,
        }),
        ..named("Vías", "Roads", "clase")
    };
    let secret = LayerDefinition { visibility: Visibility::Clasificada, ..named("Expedientes", "Files", "tipo") };
    let persons = LayerDefinition {
        visibility: Visibility::Reservada,
        subject: Subject::Persons,
        ..named("Personas", "Persons", "tipo")
    };
    for (id, geometry_type, dimension, definition) in [
        ("barrios", GeometryType::MultiPolygon, Dimension::Xy, barrios()),
        ("vias", GeometryType::LineString, Dimension::Xyz, vias),
        ("sitios", GeometryType::Point, Dimension::Xy, named("Sitios", "Sites", "tipo")),
        ("expedientes", GeometryType::Point, Dimension::Xy, secret),
        ("personas", GeometryType::Point, Dimension::Xy, persons),
    ] {
        let registration = Registration {
            id: id.parse().unwrap(),
            municipality: ibague.code.clone(),
            geometry_type,
            dimension,
            declared_crs: "EPSG:9377".to_owned(),
            definition,
        };
        let mut transaction = database.loader().begin().await.unwrap();
        catalog::register(operator, &mut transaction, &registration).await.unwrap();
        catalog::refresh(operator, &mut transaction, &registration.id, true).await.unwrap();
        transaction.commit().await.unwrap();
    }
    for name in ["postes", "lotes", "ejes"] {
        let publication = Publication {
            id: name.parse().unwrap(),
            municipality: ibague.code.clone(),
            schema: "catastro".to_owned(),
            name: name.to_owned(),
            key: None,
            geometry: None,
            definition: definition(name, "", Vec::new()),
        };
        catalog::publish(operator, &mut admin, &publication).await.unwrap();
    }
}
