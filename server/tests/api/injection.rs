//! Whatever is written into any text of the API stays a text: every parameter
//! and every member of a body that the API's description has, one by one, sent
//! by somebody who may do everything.

use std::collections::BTreeSet;

use access::account::{self, AccountKind, NewAccount};
use access::assignment::{self, NewAssignment};
use access::{Caller, Reach};
use axum::http::{HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::session::{Browser, log_in, person};
use crate::support::{Answer, City};

const OPERATOR: &Caller = &Caller::OPERATOR;

/// In whatever quotes it came to stand, SQL would take from the sequence
/// `planted`, and that is not undone with its transaction. The last is kept
/// where a text is, and looked for in all pages.
const TEXTS: [&str; 8] = [
    "'||nextval('planted')||'",
    "'; SELECT nextval('planted'); --",
    "\"||nextval('planted')||\"",
    "0) OR nextval('planted') > 0 --",
    "nextval('planted')",
    "x\r\nset-cookie: planted=1\r\nplanted: 1\r\n\r\n",
    "\u{202e}\u{0}\u{feff}${planted}{{7*7}}%n%s\\",
    "<script>planted()</script>\"><img src=x onerror=planted()>",
];

/// A way into a body.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Member(String),
    Item,
    Variant(usize),
    /// A member that is called so.
    Name,
}

/// The API's description of itself.
struct Api(Value);

impl Api {
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        if let Some(reference) = value["$ref"].as_str() {
            return self.resolved(self.0.pointer(reference.trim_start_matches('#')).unwrap());
        }
        value["allOf"].get(0).map_or(value, |first| self.resolved(first))
    }

    /// The ways to all texts of a body of that schema.
    fn texts(&self, schema: &Value, way: &[Step], found: &mut Vec<Vec<Step>>) {
        let schema = self.resolved(schema);
        let further = |step: Step| [way, &[step]].concat();
        if let Some(variants) = schema["oneOf"].as_array() {
            for (index, variant) in variants.iter().enumerate() {
                self.texts(variant, &further(Step::Variant(index)), found);
            }
            return;
        }
        match schema["type"].as_str() {
            Some("array") => self.texts(&schema["items"], &further(Step::Item), found),
            Some("object") => {
                found.push(further(Step::Name));
                for (name, member) in members(schema, way) {
                    self.texts(&member, &further(Step::Member(name)), found);
                }
            }
            // A number that is a text is looked at, too.
            _ => found.push(way.to_vec()),
        }
    }

    /// A body of that schema: what it must have and, where the way leads, the text.
    fn body(&self, schema: &Value, so_far: &[Step], way: Option<&[Step]>, text: &str) -> Value {
        if way.is_none() && schema["nullable"] == true {
            return Value::Null;
        }
        let schema = self.resolved(schema);
        let (step, rest) = match way {
            Some([]) => return text.into(),
            Some([step, rest @ ..]) => (Some(step), Some(rest)),
            None => (None, None),
        };
        let further = |step: Step| [so_far, &[step]].concat();
        if let Some(variants) = schema["oneOf"].as_array() {
            let index = if let Some(Step::Variant(index)) = step { *index } else { 0 };
            return self.body(&variants[index], &further(Step::Variant(index)), rest, text);
        }
        match schema["type"].as_str() {
            Some("array") => json!([self.body(&schema["items"], &further(Step::Item), rest, text)]),
            Some("object") => {
                let mut body = Map::new();
                for (name, member) in members(schema, so_far) {
                    let is_meant = matches!(step, Some(Step::Member(meant)) if *meant == name);
                    let is_needed = schema["required"].as_array().is_some_and(|all| all.contains(&json!(name)));
                    if is_meant || is_needed {
                        let rest = rest.filter(|_| is_meant);
                        body.insert(name.clone(), self.body(&member, &further(Step::Member(name)), rest, text));
                    }
                }
                if step == Some(&Step::Name) {
                    body.insert(text.to_owned(), text.into());
                }
                body.into()
            }
            Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
            Some("boolean") => json!(false),
            _ => schema["enum"].get(0).cloned().unwrap_or_else(|| fitting(schema, so_far).into()),
        }
    }
}

/// The members of an object; of what the description leaves open, as the
/// layer `barrios` has them.
fn members(schema: &Value, way: &[Step]) -> Map<String, Value> {
    if let Some(members) = schema["properties"].as_object() {
        return members.clone();
    }
    let text = json!({ "type": "string" });
    let open = match way.last() {
        Some(Step::Member(name)) if name == "properties" => {
            json!({ "codigo": text, "nombre": text, "fundado": text, "revisado": text, "estrato": text, "ficha": text })
        }
        Some(Step::Member(name)) if name == "geometry" => json!({ "type": text }),
        _ => json!({}),
    };
    open.as_object().cloned().unwrap()
}

/// A text that is taken there, and leads on.
fn fitting(schema: &Value, way: &[Step]) -> String {
    let member = match way {
        [.., Step::Member(member)] => member.as_str(),
        _ => "",
    };
    let is_in_list = way.contains(&Step::Item);
    match (member, schema["format"].as_str(), schema["pattern"].as_str()) {
        ("ifMatch", ..) => "*",
        ("role", ..) => "planner",
        ("name", ..) if is_in_list => "nombre",
        // Of an account: one that is nobody's.
        ("name", _, Some(_)) => return format!("cuenta-{}", Uuid::now_v7().simple()),
        ("id", _, Some(_)) => "lectura",
        (_, Some("date-time"), _) => "2030-01-01T00:00:00Z",
        (_, _, Some("^[0-9]{5}$")) => "73001",
        (_, _, Some(pattern)) if pattern.starts_with("^#") => "#336699",
        (_, _, Some(pattern)) if pattern.contains("[0-5][0-9]") => "08:00",
        _ => "texto",
    }
    .to_owned()
}

/// Who does all this, and to what.
struct Walk<'a> {
    api: Api,
    boss: Browser<'a>,
    person: String,
    system: String,
    /// The next feature to be deleted.
    next: u32,
}

impl Walk<'_> {
    /// A value with which a parameter leads somewhere.
    fn value(&mut self, method: &str, path: &str, name: &str) -> String {
        match name {
            "collectionId" => "barrios",
            "featureId" if method == "delete" => {
                self.next += 1;
                return self.next.to_string();
            }
            "featureId" => "12",
            "tileMatrixSetId" => "WebMercatorQuad",
            "tileMatrix" => "14",
            "tileRow" => "7989",
            "tileCol" => "4767",
            "accountId" if path.ends_with("/keys") => &self.system,
            "accountId" => &self.person,
            "roleId" => "lectura",
            "layerId" => "sitios",
            "If-Match" => "*",
            "lon" => "-75.23",
            "lat" => "4.445",
            "q" => "B012",
            name if name.ends_with("Id") => "00000000-0000-7000-8000-000000000000",
            _ => "1",
        }
        .to_owned()
    }

    /// Asks with all that is needed, a parameter set to a text and that body.
    async fn ask(
        &mut self,
        method: &str,
        path: &str,
        parameters: &[Value],
        set: Option<(&str, &str)>,
        body: Option<(&str, Value)>,
    ) -> Option<Answer> {
        let (mut uri, mut query, mut headers) = (path.to_owned(), Vec::new(), Vec::new());
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap();
            let is_set = set.filter(|(meant, _)| *meant == name);
            if is_set.is_none() && parameter["required"] != true && name != "If-Match" {
                continue;
            }
            let value = is_set.map_or_else(|| self.value(method, path, name), |(_, text)| text.to_owned());
            let encoded = utf8_percent_encode(&value, NON_ALPHANUMERIC).to_string();
            match parameter["in"].as_str() {
                Some("path") => uri = uri.replace(&format!("{{{name}}}"), &encoded),
                Some("query") => query.push(format!("{name}={encoded}")),
                Some("header") => {
                    let value = if name == "Lindero-Reason" { encoded } else { value };
                    // What no header can hold nobody can send.
                    HeaderValue::from_str(&value).ok()?;
                    headers.push((name.to_lowercase(), value));
                }
                other => panic!("{other:?}"),
            }
        }
        if !query.is_empty() {
            uri = format!("{uri}?{}", query.join("&"));
        }
        let mut sent: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let Browser { city, cookies, csrf } = &self.boss;
        sent.extend([("cookie", cookies.as_str()), ("x-csrf-token", csrf), ("sec-fetch-site", "same-origin")]);
        let text = body.map_or_else(String::new, |(media_type, body)| {
            sent.push(("content-type", media_type));
            body.to_string()
        });
        Some(city.send_text(&method.to_uppercase(), &uri, &sent, text).await)
    }
}

fn is_harmless(what: &str, answer: &Answer) {
    assert!(answer.status.as_u16() < 500, "{what}: {} {}", answer.status, answer.text());
    assert!(!answer.headers.contains_key("planted"), "{what}: {:?}", answer.headers);
    for name in ["set-cookie", "location"] {
        assert!(!answer.header(name).contains("planted"), "{what}: {name}: {}", answer.header(name));
    }
    if answer.header("content-type").starts_with("text/html") {
        let page = answer.text();
        assert!(!page.contains("<script>planted") && !page.contains("<img src=x"), "{what}: {page}");
    }
}

async fn walk(city: &City) -> Walk<'_> {
    let db = city.db.database();
    let boss = person(city, "jefa", "administrator", Reach::default()).await;
    for role in ["editor", "auditor", "planner"] {
        let assigned = NewAssignment { role: role.to_owned(), reach: Reach::default(), expires_at: None };
        assignment::assign(OPERATOR, db, boss, &assigned).await.unwrap();
    }
    let new = async |name, kind| account::create(OPERATOR, db, &NewAccount::new(name, kind)).await.unwrap().id;
    Walk {
        api: Api(city.get("/api?f=json").await.json()),
        boss: log_in(city, "jefa").await,
        person: new("eva", AccountKind::Person).await.to_string(),
        system: new("sensores", AccountKind::System).await.to_string(),
        next: 100,
    }
}

#[tokio::test]
async fn no_text_of_the_api_is_more_than_a_text() {
    let city = City::new().await;
    let mut admin = city.db.superuser().await;
    sqlx::raw_sql("CREATE SEQUENCE public.planted; GRANT USAGE ON SEQUENCE public.planted TO PUBLIC")
        .execute(&mut admin)
        .await
        .unwrap();
    let mut walk = walk(&city).await;
    // A stream of changes ends at once.
    city.stopping.cancel();
    let (mut walked, mut taken) = (BTreeSet::new(), 0);
    let paths = walk.api.0["paths"].as_object().unwrap().clone();
    for (path, method, operation) in
        paths.iter().flat_map(|(path, all)| all.as_object().unwrap().iter().map(move |(method, of)| (path, method, of)))
    {
        let given = operation["parameters"].as_array().cloned().unwrap_or_default();
        let parameters: Vec<Value> = given.iter().map(|parameter| walk.api.resolved(parameter).clone()).collect();
        let content = walk.api.resolved(&operation["requestBody"])["content"].as_object().cloned().unwrap_or_default();
        let json = content.iter().find(|(media_type, _)| media_type.ends_with("json"));
        let needed = |walk: &Walk<'_>| {
            json.map(|(media_type, of)| (media_type.as_str(), walk.api.body(&of["schema"], &[], None, "")))
        };
        for name in parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()) {
            for text in TEXTS {
                let what = format!("{method} {path} {name}");
                let body = needed(&walk);
                let Some(answer) = walk.ask(method, path, &parameters, Some((name, text)), body).await else {
                    continue;
                };
                is_harmless(&format!("{what}={text:?}"), &answer);
                walked.insert(what);
            }
        }
        let Some((media_type, content)) = json else { continue };
        let mut ways = Vec::new();
        walk.api.texts(&content["schema"], &[], &mut ways);
        for way in &ways {
            for text in TEXTS {
                let what = format!("{method} {path} {way:?}");
                let body = walk.api.body(&content["schema"], &[], Some(way), text);
                let sent = Some((media_type.as_str(), body.clone()));
                let answer = walk.ask(method, path, &parameters, None, sent).await.unwrap();
                is_harmless(&format!("{what} {body}"), &answer);
                taken += usize::from(answer.status.is_success());
                walked.insert(what);
            }
        }
    }
    for expected in [
        "get /collections/barrios/items filter",
        "get /collections/barrios/items nombre",
        "get /collections/{collectionId}/items/{featureId}/history before",
        "get /admin/audit subject",
        "delete /admin/accounts/{accountId}/keys/{keyId} keyId",
        "put /collections/{collectionId}/items/{featureId} Lindero-Reason",
        "post /collections/{collectionId}/edits [Member(\"reason\")]",
        "post /session [Member(\"password\")]",
        "patch /admin/layers/{layerId} [Member(\"attributes\"), Item, Member(\"values\"), Item, Member(\"value\")]",
        "post /collections/barrios/items [Member(\"properties\"), Member(\"nombre\")]",
    ] {
        assert!(walked.contains(expected), "{expected} is not among {walked:#?}");
    }
    assert!(walked.len() > 300, "{} texts", walked.len());
    assert!(taken > 100, "{taken} texts were taken in");

    // What was taken in is in many pages now, and a text in all of them.
    let mut seen = 0;
    for (path, operation) in paths.iter().filter_map(|(path, all)| Some((path, all.get("get")?))) {
        let given = operation["parameters"].as_array().cloned().unwrap_or_default();
        let parameters: Vec<Value> = given.iter().map(|parameter| walk.api.resolved(parameter).clone()).collect();
        for format in ["html", "csv", "json"] {
            let answer = walk.ask("get", path, &parameters, Some(("f", format)), None).await.unwrap();
            is_harmless(&format!("{path} as {format}"), &answer);
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            seen += usize::from(answer.status.is_success() && body.contains("planted"));
        }
    }
    assert!(seen > 5, "{seen} answers have it");
    let is_called: bool =
        sqlx::query_scalar("SELECT is_called FROM public.planted").fetch_one(&mut admin).await.unwrap();
    assert!(!is_called, "a text became SQL");
}

#[tokio::test]
async fn no_header_is_more_than_a_header() {
    let proxies = Some(vec!["127.0.0.1".parse().unwrap()]);
    let city = City::with(lindero::config::Settings { trusted_proxies: proxies, ..Default::default() }).await;
    let mut admin = city.db.superuser().await;
    sqlx::raw_sql("CREATE SEQUENCE public.planted; GRANT USAGE ON SEQUENCE public.planted TO PUBLIC")
        .execute(&mut admin)
        .await
        .unwrap();
    let mut asked = 0;
    for header in [
        "accept",
        "accept-encoding",
        "accept-language",
        "authorization",
        "content-type",
        "cookie",
        "forwarded",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "last-event-id",
        "lindero-reason",
        "origin",
        "range",
        "referer",
        "sec-fetch-site",
        "traceparent",
        "user-agent",
        "x-csrf-token",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-prefix",
        "x-forwarded-proto",
        "x-request-id",
    ] {
        HeaderName::from_static(header);
        for text in TEXTS {
            let as_is = HeaderValue::from_str(text).is_ok().then(|| text.to_owned());
            let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let wrapped =
                [format!("Bearer {encoded}"), format!("lindero_session={encoded}"), format!("for=\"{encoded}\"")];
            for value in as_is.into_iter().chain([encoded]).chain(wrapped) {
                let headers = [(header, value.as_str())];
                for uri in
                    ["/collections/barrios/items?limit=1", "/collections?f=html", "/tiles/WebMercatorQuad/14/7989/4767"]
                {
                    is_harmless(&format!("{uri} {headers:?}"), &city.get_with(uri, &headers).await);
                }
                let typed = json!({ "token": "x" }).to_string();
                let mut sent = headers.to_vec();
                if header != "content-type" {
                    sent.push(("content-type", "application/json"));
                }
                let answer = city.send_text("POST", "/session/link", &sent, typed).await;
                is_harmless(&format!("/session/link {headers:?}"), &answer);
                asked += 1;
            }
        }
    }
    assert!(asked > 500, "{asked}");
    let is_called: bool =
        sqlx::query_scalar("SELECT is_called FROM public.planted").fetch_one(&mut admin).await.unwrap();
    assert!(!is_called, "a header became SQL");
}
