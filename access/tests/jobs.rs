//! Jobs on a real PostgreSQL: what is recorded, and what a death leaves.

use access::job::{self, JobError, Outcome};
use access::{Caller, Database};
use testdb::TestDatabase;

const OPERATOR: &Caller = &Caller::OPERATOR;

async fn states(db: &Database) -> Vec<String> {
    job::list(OPERATOR, db, 10).await.expect("jobs").into_iter().map(|job| job.state).collect()
}

#[tokio::test]
async fn a_job_tells_its_progress_and_its_end() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let running = job::start(OPERATOR, db, "import", "predios.gpkg").await.expect("a job");
    assert!(!running.progress(500, Some(1000)).await.expect("progress"));
    assert!(job::cancel(OPERATOR, db, running.id()).await.expect("asked"));
    assert!(running.progress(600, Some(1000)).await.expect("progress"), "it is told to stop");
    let id = running.id();
    running.finish(Outcome::Cancelled).await.expect("the end");
    let jobs = job::list(OPERATOR, db, 10).await.expect("jobs");
    assert_eq!((jobs[0].id, jobs[0].state.as_str(), jobs[0].done, jobs[0].total), (id, "cancelled", 600, Some(1000)));
    assert!(!job::cancel(OPERATOR, db, id).await.expect("asked"), "it runs no more");
}

#[tokio::test]
async fn a_job_whose_process_died_is_found_interrupted_and_a_live_one_is_left_alone() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let alive = job::start(OPERATOR, db, "import", "alive").await.expect("a job");
    let dead = job::start(OPERATOR, db, "import", "dead").await.expect("a job");
    let id = dead.id();
    // Its connection ends with its process; PostgreSQL then frees the lock.
    drop(dead);
    let recovered = loop {
        let recovered = job::recover(OPERATOR, db).await.expect("recovery");
        if !recovered.is_empty() {
            break recovered;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(recovered, [id]);
    assert_eq!(states(db).await, ["interrupted", "running"]);
    alive.finish(Outcome::Done(serde_json::json!({"loaded": 1}))).await.expect("the end");
    assert_eq!(states(db).await, ["interrupted", "done"]);
}

#[tokio::test]
async fn the_public_runs_and_sees_no_jobs() {
    let test = TestDatabase::new().await;
    let db = test.database();
    assert!(matches!(job::start(&Caller::ANONYMOUS, db, "import", "x").await, Err(JobError::Denied(_))));
    assert!(matches!(job::list(&Caller::ANONYMOUS, db, 10).await, Err(JobError::Denied(_))));
    assert!(matches!(job::recover(&Caller::ANONYMOUS, db).await, Err(JobError::Denied(_))));
}
