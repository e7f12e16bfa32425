//! Files that mean harm, drivers that misbehave, imports that are killed:
//! refused or undone, with a message, and nothing left behind.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::io::Write;
use std::process::Command;
use std::time::Duration;

use access::{Caller, job};
use etl::import::{ImportError, ImportRequest, Quiet, clean_abandoned};
use support::World;
use tokio_util::sync::CancellationToken;

const POINT: &str = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"n":1},"geometry":{"type":"Point","coordinates":[-75.2322,4.4389]}}]}"#;

async fn refused(world: &World, request: &ImportRequest) -> String {
    let error = world.import(request).await.unwrap_err();
    assert!(world.leftovers().await.is_empty(), "half a layer after: {error}");
    assert!(world.layer(request.target.as_str()).await.is_none());
    error.to_string()
}

#[tokio::test]
async fn a_vrt_disguised_as_geojson_is_refused() {
    let world = World::new().await;
    std::fs::write(world.path("secret.csv"), "x,y\n-75.2,4.4\n").unwrap();
    let vrt = format!(
        "<OGRVRTDataSource><OGRVRTLayer name=\"a\"><SrcDataSource>{}</SrcDataSource><SrcLayer>secret</SrcLayer>\
         <GeometryType>wkbPoint</GeometryType><LayerSRS>EPSG:4326</LayerSRS>\
         <GeometryField encoding=\"PointFromColumns\" x=\"x\" y=\"y\"/></OGRVRTLayer></OGRVRTDataSource>",
        world.path("secret.csv").display()
    );
    let text = refused(&world, &world.request("barrios.geojson", &vrt, "barrios")).await;
    assert!(text.contains("GeoJSON"), "{text}");
    let text = refused(&world, &world.request("barrios.vrt", &vrt, "barrios")).await;
    assert!(text.contains("points at other data"), "{text}");
}

#[tokio::test]
async fn a_zip_bomb_is_refused() {
    let world = World::new().await;
    let file = std::fs::File::create(world.path("bomb.zip")).unwrap();
    let mut zip = zip::ZipWriter::new(file);
    zip.start_file("a.shp", zip::write::SimpleFileOptions::default()).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..300 {
        zip.write_all(&zeros).unwrap();
    }
    zip.finish().unwrap();
    let text = refused(&world, &world.request_for(&world.path("bomb.zip"), "bomba")).await;
    assert!(text.contains("unpacks to far more"), "{text}");
}

#[tokio::test]
async fn a_reader_that_misbehaves_ends_with_a_message() {
    let world = World::new().await;
    for (misdeed, sign) in [
        ("abort", "crashed (signal 6)"),
        ("hang", "longer than the 2 seconds"),
        ("spin", "processor time"),
        ("eat", "memory"),
        ("garbage", "could not be read"),
    ] {
        let mut request = world.request("a.geojson", POINT, "a");
        request.reader.misbehave = Some(misdeed.to_owned());
        request.limits.memory_bytes = 1 << 30;
        request.limits.wall_seconds = if misdeed == "spin" { 60 } else { 2 };
        request.limits.cpu_seconds = 1;
        if misdeed == "eat" {
            request.limits.wall_seconds = 60;
            request.limits.cpu_seconds = 60;
        }
        let text = refused(&world, &request).await;
        assert!(text.contains(sign), "{misdeed}: {text}");
    }
}

#[tokio::test]
async fn a_stopped_import_leaves_nothing() {
    let world = World::new().await;
    let mut request = world.request("a.geojson", POINT, "a");
    request.reader.misbehave = Some("hang".to_owned());
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let stopping = async {
        // As soon as the job is seen to run.
        loop {
            let jobs = job::list(&Caller::OPERATOR, world.db(), 1).await.unwrap();
            if jobs.first().is_some_and(|job| job.state == "running") {
                break token.cancel();
            }
            tokio::task::yield_now().await;
        }
    };
    let (outcome, ()) =
        tokio::join!(etl::import::run(&Caller::OPERATOR, world.db(), &request, &Quiet, cancel), stopping);
    assert!(matches!(outcome, Err(ImportError::Cancelled)));
    assert!(world.leftovers().await.is_empty());
    let jobs = job::list(&Caller::OPERATOR, world.db(), 1).await.unwrap();
    assert_eq!(jobs[0].state, "cancelled");
}

#[tokio::test]
async fn a_job_that_is_asked_to_stop_does() {
    let world = World::new().await;
    let mut request = world.request("a.geojson", POINT, "a");
    request.reader.misbehave = Some("hang".to_owned());
    let asking = async {
        loop {
            let jobs = job::list(&Caller::OPERATOR, world.db(), 1).await.unwrap();
            if let Some(job) = jobs.first() {
                break job::cancel(&Caller::OPERATOR, world.db(), job.id).await.unwrap();
            }
            tokio::task::yield_now().await;
        }
    };
    let import = world.import(&request);
    let (outcome, asked) =
        tokio::time::timeout(Duration::from_mins(1), Box::pin(async { tokio::join!(import, asking) })).await.unwrap();
    assert!(asked);
    assert!(matches!(outcome, Err(ImportError::Cancelled)));
}

/// What another process did before it was killed: its job's record, its
/// advisory lock gone, a staging table that it had committed.
#[tokio::test]
async fn what_a_killed_import_left_is_cleaned() {
    let world = World::new().await;
    let running = job::start(&Caller::OPERATOR, world.db(), "import", "a").await.unwrap();
    let id = running.id();
    let mut admin = world.admin().await;
    let table = format!(
        "CREATE TABLE staging.import_{} (a int); ALTER TABLE staging.import_{0} OWNER TO lindero_loader",
        id.simple()
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(table)).execute(&mut admin).await.unwrap();
    assert!(clean_abandoned(&Caller::OPERATOR, world.db()).await.unwrap().is_empty(), "it runs still");
    assert_eq!(world.leftovers().await.len(), 1);
    drop(running);
    // The lock goes when PostgreSQL notices that the connection is closed.
    let mut cleaned = Vec::new();
    while cleaned.is_empty() {
        cleaned = clean_abandoned(&Caller::OPERATOR, world.db()).await.unwrap();
    }
    assert_eq!(cleaned, [id]);
    assert!(world.leftovers().await.is_empty());
}

/// The cage: the reader reads its input and nothing else, writes nowhere but
/// in its own folder, reaches no network, runs no program and knows no
/// database. Where the kernel offers no Landlock, doctor says so.
#[tokio::test]
async fn the_reader_sees_only_its_input() {
    if !etl::import::missing_confinement().is_empty() {
        eprintln!("skipped: {:?}", etl::import::missing_confinement());
        return;
    }
    let world = World::new().await;
    let mut request = world.request("p.geojson", POINT, "p");
    request.reader.misbehave = Some("peek".to_owned());
    let text = refused(&world, &request).await;
    assert_eq!(text, "file false, write false, network false, program false, database false");

    let made = Command::new("ogr2ogr").arg(world.path("p.shp")).arg(world.path("p.geojson")).status().unwrap();
    assert!(made.success());
    let report = world.import(&world.request_for(&world.path("p.shp"), "p")).await.unwrap();
    assert!(report.confinement.is_empty(), "{:?}", report.confinement);
    assert_eq!(report.inserted, 1, "what belongs to the input is seen");
}
