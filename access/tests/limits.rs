//! Limits that hold in several processes together.
#![allow(clippy::unwrap_used, reason = "tests")]

use access::limit::{Limits, Quota, Quotas};
use access::{Caller, Origin};
use std::time::Duration;
use testdb::TestDatabase;

#[tokio::test]
async fn nobody_gets_more_by_coming_to_several_processes() {
    let test = TestDatabase::new().await;
    let db = test.database();
    // Nothing comes back while the test runs.
    let quota = Quota { burst: 100, window: Duration::from_hours(1000) };
    let process = || Limits::new(Quotas { address: Some(quota), ..Quotas::default() });
    let (one, other, third) = (process(), process(), process());
    let caller = Caller::ANONYMOUS.from(Origin { address: "192.0.2.1".parse().ok(), request: "".into() });
    let take = |limits: &Limits, most: usize| {
        (0..most).take_while(|_| limits.admit(&caller, false).unwrap().refused.is_none()).count()
    };
    assert_eq!((take(&one, 50), take(&other, 30)), (50, 30));
    for limits in [&one, &other, &one] {
        limits.settle(db).await.unwrap();
    }
    // 80 of 100 are gone: whoever settles knows.
    assert_eq!(take(&other, 1000), 20);
    other.settle(db).await.unwrap();
    assert_eq!(take(&one, 1000), 50, "it was not told yet");
    // What was too much is owed by all.
    for limits in [&one, &other] {
        limits.settle(db).await.unwrap();
    }
    assert_eq!((take(&one, 10), take(&other, 10)), (0, 0));
    assert_eq!(take(&third, 10), 10, "until it settles");
    third.settle(db).await.unwrap();
    assert_eq!(take(&third, 1000), 0);
}
