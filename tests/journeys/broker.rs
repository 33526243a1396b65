//! A platform on a real Kafka: what a merchant's program hears through `souk listen`, what a broker that dies costs (nothing), and what an
//! operator does with `souk events`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::json;
use souk_kernel::EventId;
use souk_tests::platform::{Platform, printed, until};
use souk_tests::receiver::{Manner, Receiver};

use crate::tour::{paste_purchase, printed_commands};
use crate::turn;

/// Ends with the test.
struct Listening(Child);

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn events_go_through_a_broker_that_dies_and_comes_back() {
    let _turn = turn();
    let platform = Platform::new("broker");
    let commands = printed_commands(&platform.up(&["--kafka"]));
    let receiver = Receiver::new(Manner::Takes);
    let address = receiver.start();
    // Without --store: the demo store of the platform that runs.
    let mut listening = platform.command(&["listen", "--forward-to", &address]);
    let mut listening =
        Listening(listening.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("souk listen"));
    let mut said = BufReader::new(listening.0.stdout.take().expect("its words")).lines();
    let ready = said.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("Forwarding to")));
    assert!(ready.is_some(), "it said where it forwards to");
    // The stream tells what happens from its beginning on; a first sale shows that it has begun.
    let mut sales = 0;
    let began = Instant::now();
    while receiver.count("order.placed") == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "`souk listen` forwards nothing");
        assert_eq!(paste_purchase(&platform, &commands)["status"], "completed");
        sales += 1;
        std::thread::sleep(Duration::from_secs(2));
    }
    for heard in receiver.all() {
        assert_eq!(heard.event["id"], heard.id.as_str());
        assert!(heard.signature.starts_with("v1,"), "{}", heard.signature);
    }

    let killed = platform.kill("kafka");
    let told = receiver.count("order.placed");
    assert_eq!(
        paste_purchase(&platform, &commands)["status"],
        "completed",
        "a broker that is away stops no sale"
    );
    sales += 1;
    platform.wait_for_return("kafka", killed);
    until(Duration::from_secs(120), "every sale is confirmed by mail", || confirmations(&platform) >= sales);
    assert_eq!(confirmations(&platform), sales, "nobody is written to twice");
    until(Duration::from_secs(30), "the stream tells the sale", || receiver.count("order.placed") > told);
    until(Duration::from_secs(60), "nothing waits", || {
        let status = platform.souk(&["events", "status"]);
        status.contains("outbox: 0 waiting") && status.contains("every consumer has heard everything")
    });
    assert!(platform.souk(&["events", "dead"]).contains("there are no dead letters"));
    operate(&platform, &receiver, sales);
    assert_eq!(confirmations(&platform), sales, "nobody is written to for what an operator does");

    // `souk listen` still holds its stream: it must not hold up the end.
    let began = Instant::now();
    platform.souk(&["down"]);
    assert!(began.elapsed() < Duration::from_secs(15), "down took {:?}", began.elapsed());
}

/// What an operator sees and does when the topic holds what nobody can hear.
fn operate(platform: &Platform, receiver: &Receiver, sales: usize) {
    let events = |arguments: &[&str]| platform.souk(&[&["events"], arguments].concat());
    let since = ["--from", "2000-01-01T00:00:00Z", "--type", "order.placed"];
    let again = events(&[&["replay", "order_mail", "--name", "again"], &since[..]].concat());
    let words = format!("order_mail is to hear {sales} events once more, as replay \"again\"");
    assert_eq!(again.trim(), words);

    let mut nothing = receiver.all().remove(0).event;
    nothing["id"] = json!(EventId::new());
    nothing["type"] = json!("subscription.letter_wanted");
    nothing["data"] = json!({});
    // Nothing of the same aggregate is in front of it, or behind.
    nothing["aggregate_type"] = json!("subscription");
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", format!("127.0.0.1:{}", platform.ports().kafka));
    let producer: BaseProducer = client.create().expect("a producer");
    for payload in [nothing.to_string().as_str(), "no event"] {
        let record = BaseRecord::<str, str>::to("souk.events").partition(0).payload(payload);
        producer.send(record).map_err(|(error, _)| error).expect("the producer takes it");
    }
    producer.flush(Duration::from_secs(10)).expect("the topic has it");
    until(Duration::from_secs(60), "the operator is told", || {
        let status = events(&["status"]);
        status.contains("notice_mail: 0 waiting, the oldest for 0 s; 1 dead")
            && status.contains("1 messages of the topic are no events")
    });

    assert!(!events(&["status"]).contains("every consumer has heard everything"));
    let dead = events(&["dead", "--consumer", "notice_mail"]);
    assert!(dead.contains("subscription.letter_wanted") && dead.contains("unreadable payload"), "{dead}");
    let number = dead.split_whitespace().next().expect("its number");
    assert_eq!(events(&["revive", number]).trim(), "1 dead letters live again");
    // Nobody mended its cause.
    until(Duration::from_secs(30), "it is given up again", || {
        events(&["dead"]).contains("unreadable payload")
    });

    let listed = events(&["unreadable"]);
    assert!(listed.starts_with("souk.events/0/") && listed.contains("not an event: "), "{listed}");
    let place = listed.split_whitespace().next().expect("its place");
    assert_eq!(events(&["forget", place]).trim(), "1 messages that are no events are forgotten");
    assert_eq!(events(&["unreadable"]).trim(), "every message of the topic was an event");
    assert_eq!(events(&["dead", "--outbox"]).trim(), "the outbox was given up on nothing");
    let carried = events(&["revive", "--outbox", "--all"]);
    assert_eq!(carried.trim(), "0 events of the outbox are carried on once more");
    // What was to be heard again was.
    until(Duration::from_secs(30), "the replay is heard", || !events(&["status"]).contains("order_mail: "));
}

/// Confirmations that the demo store sent.
fn confirmations(platform: &Platform) -> usize {
    let mut command = Command::new("sh");
    let read = r#"eval "$("$0" env)"; curl -sS "$SOUK_DEMO_STORE/dev/mail" -H "Authorization: Bearer $SOUK_DEMO_SECRET_KEY""#;
    let souk = souk_tests::platform::programs().join("souk");
    platform.equip(command.arg("-euc").arg(read).arg(souk));
    let mails = printed(&["curl /dev/mail"], command.output().expect("sh runs"));
    mails.lines().filter(|line| line.starts_with("Subject: ") && line.contains("your order #")).count()
}
