//! The pools' connections, on a real PostgreSQL.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use sqlx::Connection;
use testdb::TestDatabase;

#[tokio::test]
async fn a_transaction_that_nobody_waited_for_is_in_nobodys_way() {
    let test = TestDatabase::new().await;
    let pool = test.database().app();
    let mut given_up = 0;
    for _ in 0..20 {
        let mut connection = pool.acquire().await.unwrap();
        let mut begin = pin!(connection.begin_with("BEGIN READ ONLY"));
        // Asked once, and given up as a request is whose client goes away.
        given_up += poll_fn(|context| Poll::Ready(i32::from(begin.as_mut().poll(context).is_pending()))).await;
    }
    assert!(given_up > 0, "PostgreSQL answered before it was asked");
    for _ in 0..20 {
        let is_reading: String =
            sqlx::query_scalar("SELECT current_setting('transaction_read_only')").fetch_one(pool).await.unwrap();
        assert_eq!(is_reading, "off");
    }
}
