//! Following what happens as it happens: server-sent events of the application that a process serves.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

use super::http::{all, orders};
use crate::testing::shop::Shop;

/// Longer than an older transaction of this server may hold events back, as in `http::all`.
const PATIENCE: Duration = Duration::from_secs(120);

/// The seats are the process's: one test at a time sits down.
async fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

/// A stream that was begun.
struct Follower {
    body: BoxBody,
    text: String,
    told: VecDeque<(String, String, Value)>,
}

impl Follower {
    /// Begins; the first words are there, so whatever happens from now on is news.
    async fn sits_down(shop: &Shop, query: &str, last: Option<&str>) -> Self {
        let mut call = shop.owner_call("GET", &format!("/admin/v1/events/stream{query}"));
        if let Some(last) = last {
            call = call.header("last-event-id", last);
        }
        let response = call.begin().await;
        assert_eq!(response.status(), 200);
        let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            (header("content-type"), header("cache-control")),
            ("text/event-stream".into(), "no-store".into())
        );
        let mut follower = Self { body: response.into_body(), text: String::new(), told: VecDeque::new() };
        follower.read().await;
        assert_eq!(follower.text, "retry: 1000\n\n");
        follower.text.clear();
        follower
    }

    async fn read(&mut self) {
        let chunk = poll_fn(|context| Pin::new(&mut self.body).poll_next(context));
        let chunk = tokio::time::timeout(PATIENCE, chunk).await.expect("nothing is told");
        let chunk = chunk.expect("it goes on").unwrap();
        self.text.push_str(std::str::from_utf8(&chunk).unwrap());
    }

    /// The next event: its id, its kind, its data.
    async fn next(&mut self) -> (String, String, Value) {
        loop {
            if let Some(event) = self.told.pop_front() {
                return event;
            }
            self.read().await;
            let text = std::mem::take(&mut self.text);
            for block in text.strip_suffix("\n\n").expect("whole events").split("\n\n") {
                if block == ": still here" {
                    continue;
                }
                let mut lines = block.lines();
                let mut field = |name: &str| {
                    let line = lines.next().and_then(|line| line.strip_prefix(name));
                    line.unwrap_or_else(|| panic!("no {name:?}: {block}")).to_owned()
                };
                let (id, kind, data) = (field("id: "), field("event: "), field("data: "));
                assert_eq!(lines.next(), None);
                self.told.push_back((id, kind, serde_json::from_str(&data).unwrap()));
            }
        }
    }

    /// The next events are these, as the list tells them.
    async fn tells(&mut self, events: &[Value]) {
        for event in events {
            let (id, kind, data) = self.next().await;
            assert_eq!(&data, event);
            assert_eq!(
                (Some(id.as_str()), Some(kind.as_str())),
                (event["cursor"].as_str(), event["type"].as_str())
            );
        }
    }
}

fn cursor(event: &Value) -> String {
    event["cursor"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_stream_goes_on_after_a_cursor_and_after_the_last_event_of_whoever_comes_again() {
    let _turn = turn().await;
    let shop = Shop::open().await;
    orders(&shop, 2).await;
    let told = shop.told().await;
    let before = all(&shop, "", told.len()).await;
    assert!(before.len() >= 4, "{told:?}");
    let first = format!("?after={}", cursor(&before[0]));
    Follower::sits_down(&shop, &first, None).await.tells(&before[1..]).await;
    // An `EventSource` that comes again repeats the address it began with: the header is newer.
    let third = cursor(&before[2]);
    let mut again = Follower::sits_down(&shop, &first, Some(&third)).await;
    again.tells(&before[3..]).await;
    // And it goes on with what happens from now on.
    let mut only_news = Follower::sits_down(&shop, "", None).await;
    orders(&shop, 1).await;
    let news = all(&shop, "", shop.told().await.len()).await.split_off(before.len());
    assert!(news.iter().any(|event| event["type"] == "order.placed"), "{news:?}");
    again.tells(&news).await;
    only_news.tells(&news).await;
}

#[actix_web::test]
async fn a_stream_tells_the_kinds_that_are_wanted() {
    let _turn = turn().await;
    let shop = Shop::open().await;
    orders(&shop, 1).await;
    let told = shop.told().await;
    let first = all(&shop, "", told.len()).await.remove(0);
    orders(&shop, 2).await;
    let wanted = all(&shop, "&type=order.placed,order.paid", 6).await;
    let after = wanted.iter().position(|event| event["id"] == first["id"]).map_or(0, |place| place + 1);
    let query = format!("?type=order.placed,%20order.paid&after={}", cursor(&first));
    Follower::sits_down(&shop, &query, None).await.tells(&wanted[after..]).await;
}

#[actix_web::test]
async fn nonsense_and_strangers_get_no_stream() {
    let _turn = turn().await;
    let shop = Shop::open().await;
    let stream = "/admin/v1/events/stream";
    shop.call("GET", stream).send().await.refused(401, "unauthenticated");
    let unknown = shop.owner_call("GET", &format!("{stream}?type=order.eaten")).send().await;
    unknown.refused(422, "validation_failed").about("?type");
    shop.owner_call("GET", &format!("{stream}?after=nonsense")).send().await.refused(400, "invalid_cursor");
    let header = shop.owner_call("GET", stream).header("last-event-id", "nonsense").send().await;
    header.refused(400, "invalid_cursor");
}

#[actix_web::test]
async fn a_process_has_two_hundred_seats_and_whoever_leaves_makes_room() {
    let _turn = turn().await;
    let shop = Shop::open().await;
    let stream = "/admin/v1/events/stream";
    let mut seated = Vec::new();
    for number in 0..200 {
        let response = shop.owner_call("GET", stream).begin().await;
        assert_eq!(response.status(), 200, "seat {number}");
        seated.push(response);
    }
    let refused = || async {
        let answer = shop.owner_call("GET", stream).begin().await;
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers().get("retry-after").unwrap(), "5");
    };
    refused().await;
    refused().await;
    drop(seated.pop());
    let response = shop.owner_call("GET", stream).begin().await;
    assert_eq!(response.status(), 200, "one left, one came");
    refused().await;
    // What is refused for its own sake takes no seat with it.
    drop(response);
    for _ in 0..3 {
        let unknown = shop.owner_call("GET", &format!("{stream}?type=order.eaten")).send().await;
        unknown.refused(422, "validation_failed");
    }
    seated.push(shop.owner_call("GET", stream).begin().await);
    assert_eq!(seated[199].status(), 200);
}
