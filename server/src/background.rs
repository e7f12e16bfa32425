//! What the server does beside answering: it keeps the catalogue's numbers
//! true and the tile indexes as the layers are, and finds the changes that no trigger sees.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use access::{Caller, Database, throttle};
use layers::attachment;
use layers::catalog::{self, CatalogError};
use layers::change::{self, Change, Event, FeedError, Follower, Operation};
use layers::{ChangeCapture, Layer, LayerId};
use tiles::engine::IndexedTiles;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout_at};

use crate::audit_seal;
use crate::freshness::Freshness;
use crate::http::AppState;

/// The tasks act for the server's operator.
const OPERATOR: &Caller = &Caller::OPERATOR;

/// After a change the layer is measured when it has been quiet for so long …
const QUIET: Duration = Duration::from_secs(2);
/// … or this long after the first change, where it never is.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the change feed is not looked at when nothing notifies.
const LOOK: Duration = Duration::from_secs(30);
/// How often what was taken of limits is settled.
const SETTLE: Duration = Duration::from_secs(1);
/// How often limits that are full again are forgotten.
const SWEEP: Duration = Duration::from_hours(1);
/// How long a server that starts leaves alone what is not urgent.
const QUIET_START: Duration = Duration::from_mins(10);
/// How often files that no attachment names are looked for.
const ATTACHMENTS: Duration = Duration::from_hours(24);
/// How long to wait where the database is away.
const AWAY: Duration = Duration::from_secs(5);

/// Starts the tasks of a server. They end when the set is shut down. What the
/// change feed tells is told to what the state knows of layers' changes; tiles
/// follow it on their own, and so does who may come in.
pub fn start(state: &AppState) -> JoinSet<()> {
    let (database, tiles) = (&state.database, &state.tiles);
    let mut tasks = JoinSet::new();
    let (indexed, kept) = (database.clone(), Arc::clone(tiles));
    tasks.spawn(async move { kept.keep(OPERATOR, &indexed).await });
    let gate = Arc::clone(&state.gate);
    tasks.spawn(async move { gate.listen().await });
    let trail = state.trail.clone();
    tasks.spawn(async move { trail.keep().await });
    tasks.spawn(settle_limits(state.clone()));
    tasks.spawn(sweep_limits(database.clone()));
    tasks.spawn(sweep_attachments(state.clone()));
    tasks.spawn(audit_seal::keep(database.clone(), state.config.audit_dir()));
    tasks.spawn(audit_seal::verify_daily(database.clone(), state.config.audit_dir()));
    tasks.spawn(measure_changed(database.clone(), Arc::clone(&state.freshness), Arc::clone(tiles)));
    tasks.spawn(complete_triggers(database.clone()));
    if let Some(every) = state.config.compare_interval {
        tasks.spawn(compare_now_and_then(database.clone(), every));
    }
    tasks
}

/// Settles with other processes what was taken of limits. Where that does not
/// work each goes by what it knows.
async fn settle_limits(state: AppState) {
    loop {
        sleep(SETTLE).await;
        if let Err(error) = state.limits.settle(&state.database).await {
            tracing::warn!(%error, "the limits could not be settled with other processes");
            sleep(AWAY).await;
        }
    }
}

/// Forgets the limits that nobody is near any more.
async fn sweep_limits(database: Database) {
    loop {
        sleep(SWEEP).await;
        if let Err(error) = throttle::sweep(OPERATOR, &database).await {
            tracing::warn!(%error, "the limits could not be swept");
        }
    }
}

/// Removes, each day, the files that no attachment names any more.
async fn sweep_attachments(state: AppState) {
    let mut clock = interval_at(Instant::now() + QUIET_START, ATTACHMENTS);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        match attachment::sweep(OPERATOR, &state.database, &state.attachments, attachment::GRACE).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "files that no attachment names were removed"),
            Err(error) => tracing::warn!(%error, "the attachments' store could not be swept"),
        }
    }
}

/// Counts and measures each layer anew after it has changed.
async fn measure_changed(database: Database, freshness: Arc<Freshness>, tiles: Arc<IndexedTiles>) {
    loop {
        if let Err(error) = follow(&database, &freshness, &tiles).await {
            freshness.lose();
            tracing::warn!(%error, "the change feed cannot be followed; trying again");
            sleep(AWAY).await;
        }
    }
}

async fn follow(database: &Database, freshness: &Freshness, tiles: &Arc<IndexedTiles>) -> Result<(), FeedError> {
    let mut follower = Follower::from_now(OPERATOR, database.clone(), LOOK).await?;
    freshness.follow();
    // What changed while nobody followed is not known.
    tokio::spawn(measure(database.clone(), tiles.clone(), all(database).await, false));
    loop {
        let mut changed = layers_of(follower.next().await?, database, freshness).await;
        let first = Instant::now();
        // More may follow: a load of thousands of rows is measured once.
        while let Ok(event) = timeout_at((Instant::now() + QUIET).min(first + PATIENCE), follower.next()).await {
            changed.extend(layers_of(event?, database, freshness).await);
        }
        // Beside, so that the next changes are told while these are measured.
        tokio::spawn(measure(database.clone(), tiles.clone(), changed, true));
    }
}

/// The layers whose content an event is about.
async fn layers_of(event: Event, database: &Database, freshness: &Freshness) -> BTreeSet<LayerId> {
    match event {
        Event::Changed(changes) => {
            for change in &changes {
                freshness.change(&change.layer);
            }
            let content = |change: &Change| change.operation != Operation::Catalog;
            changes.into_iter().filter(content).map(|change| change.layer).collect()
        }
        Event::Rebuild => {
            freshness.follow();
            all(database).await
        }
    }
}

async fn all(database: &Database) -> BTreeSet<LayerId> {
    every_layer(database).await.into_iter().map(|layer| layer.id).collect()
}

/// `touched`: their content has just changed.
async fn measure(database: Database, tiles: Arc<IndexedTiles>, layers: BTreeSet<LayerId>, touched: bool) {
    for layer in layers {
        match measure_one(&database, &tiles, &layer, touched).await {
            // Unknown: removed since.
            Ok(()) | Err(CatalogError::Unknown(_)) => {}
            Err(error) => tracing::warn!(%layer, %error, "a layer could not be measured"),
        }
    }
}

async fn measure_one(
    database: &Database,
    tiles: &IndexedTiles,
    id: &LayerId,
    touched: bool,
) -> Result<(), CatalogError> {
    let mut transaction = database.loader().begin().await?;
    let (features, _) = catalog::refresh(OPERATOR, &mut transaction, id, touched).await?;
    transaction.commit().await?;
    if touched {
        tiles.tell_measured(&catalog::get(OPERATOR, database, id).await?);
    }
    tracing::debug!(layer = %id, features, "measured");
    Ok(())
}

/// Makes what is missing of triggers, once: a database of an older version has
/// none that keep versions.
async fn complete_triggers(database: Database) {
    for layer in
        every_layer(&database).await.into_iter().filter(|layer| layer.change_capture == ChangeCapture::Triggers)
    {
        compare(&database, &layer).await;
    }
}

/// Looks every so often at the layers that no trigger watches, and at the
/// triggers themselves.
async fn compare_now_and_then(database: Database, every: Duration) {
    let mut clock = interval_at(Instant::now() + every.min(Duration::from_mins(1)), every);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        for layer in every_layer(&database).await {
            compare(&database, &layer).await;
        }
    }
}

async fn every_layer(database: &Database) -> Vec<Layer> {
    catalog::list(OPERATOR, database).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "the catalogue cannot be read");
        Vec::new()
    })
}

async fn compare(database: &Database, layer: &Layer) {
    let outcome = match layer.change_capture {
        ChangeCapture::Comparison => change::compare(OPERATOR, database, &layer.id).await.map(|differs| {
            if differs {
                tracing::info!(layer = %layer.id, "changed since the last comparison");
            }
        }),
        ChangeCapture::Triggers => change::repair(OPERATOR, database, &layer.id).await.map(|missing| {
            if !missing.is_empty() {
                tracing::warn!(layer = %layer.id, tables = missing.join(", "), "triggers were missing and made anew");
            }
        }),
    };
    if let Err(error) = outcome {
        tracing::warn!(layer = %layer.id, %error, "a layer could not be compared");
    }
}
