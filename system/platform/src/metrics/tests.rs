//! Tests of the rendered text.

use ports::Timestamp;
use ports::bus::StreamLimits;

use super::*;

#[test]
fn the_text_lists_the_counters_of_every_service_under_one_heading() {
    let mut tickets = Metrics::new("tickets", &Arc::default());
    let consumer = tickets.consumer("tickets-OrderCreated");
    consumer.count(&DeliveryOutcome::Acknowledged);
    consumer.count(&DeliveryOutcome::DeadLettered("why".to_owned()));
    consumer.found_gap();
    let relay = RelayMetrics::default();
    tickets.relay("tickets", relay.clone());
    relay.published();
    relay.found(2, 1_700_000_000);
    let abandoned = Counter::default();
    abandoned.increment();
    tickets.abandoned(abandoned);
    for _ in 0..2 {
        let latency = Duration::from_millis(3);
        tickets.responded("/api/tickets/{id}", &Method::GET, StatusCode::OK, latency);
    }
    let both = [Arc::new(tickets), Arc::new(Metrics::new("auth", &Arc::default()))];
    let limits = StreamLimits { max_age: Some(Duration::from_secs(60)), max_bytes: Some(99) };
    let oldest = Timestamp::from_second(1_700_000_001).ok();
    let events = StreamState { messages: 3, bytes: 700, oldest, limits };
    let limits = StreamLimits::default();
    let dead = StreamState { messages: 0, bytes: 0, oldest: None, limits };
    let text = render(&both, 7, vec![("events", events), ("dead_letters", dead)]);
    for line in [
        r#"service_up{service="auth"} 1"#,
        "http_connections 7",
        r#"tasks_failing{service="tickets"} 0"#,
        r#"http_request_duration_seconds_count{service="tickets",route="/api/tickets/{id}",method="GET",status="200"} 2"#,
        r#"deliveries_total{service="tickets",consumer="tickets-OrderCreated",outcome="acknowledged"} 1"#,
        r#"dead_letters_total{service="tickets"} 1"#,
        r#"event_gaps_total{service="tickets",consumer="tickets-OrderCreated"} 1"#,
        r#"events_published_total{service="tickets"} 1"#,
        r#"outbox_documents{service="tickets",collection="tickets"} 2"#,
        r#"outbox_oldest_seconds{service="tickets",collection="tickets"} 1700000000"#,
        r#"work_abandoned_total{service="tickets"} 1"#,
        r#"stream_messages{stream="events"} 3"#,
        r#"stream_bytes{stream="events"} 700"#,
        r#"stream_limit_bytes{stream="events"} 99"#,
        r#"stream_oldest_seconds{stream="events"} 1700000001"#,
        r#"stream_limit_age_seconds{stream="events"} 60"#,
        r#"stream_oldest_seconds{stream="dead_letters"} 0"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    assert_eq!(text.matches("# TYPE deliveries counter").count(), 1, "{text}");
    // A stream without a limit has no gauge of it.
    assert_eq!(text.matches("stream_limit_bytes{").count(), 1, "{text}");
}
#[test]
fn invented_methods_add_one_series() {
    let tickets = Metrics::new("tickets", &Arc::default());
    for method in ["BREW", "WHEN", "PROPFIND"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        tickets.responded("", &method, StatusCode::NOT_FOUND, Duration::ZERO);
    }
    let text = render(&[Arc::new(tickets)], 0, Vec::new());
    let line = r#"http_request_duration_seconds_count{service="tickets",route="",method="other",status="404"} 3"#;
    assert!(text.lines().any(|found| found == line), "{text}");
}
