//! Pages of history, and replays.

use super::*;

#[tokio::test]
async fn history_is_paged_both_ways_and_oldest_first() {
    let mut scene = Scene::new().await;
    let (ada, bob) = (scene.ada.id, scene.bob.id);
    let id = scene.open(ada, bob).await;
    // The numbers of the messages, and those that the page covers.
    let page = async |scene: &Scene, range, limit| {
        let history = scene.database.history(bob, id, range, HistoryFilter::All, limit);
        let history = history.await.unwrap().unwrap();
        (numbers(&history.messages), (history.from, history.to), history.last_seq)
    };
    assert_eq!(page(&scene, HistoryRange::Newest, 10).await, (vec![], (1, 0), 0));
    scene.write(ada, id, 10).await;
    for (range, limit, found, covered) in [
        (HistoryRange::Newest, 3, vec![8, 9, 10], (8, 10)),
        (HistoryRange::Newest, 11, (1..=10).collect(), (1, 10)),
        (HistoryRange::Before(8), 3, vec![5, 6, 7], (5, 7)),
        (HistoryRange::Before(2), 3, vec![1], (1, 1)),
        (HistoryRange::Before(1), 3, vec![], (1, 0)),
        (HistoryRange::Before(Seq::MAX), 1, vec![10], (10, 10)),
        (HistoryRange::After(0), 3, vec![1, 2, 3], (1, 3)),
        (HistoryRange::After(9), 3, vec![10], (10, 10)),
        (HistoryRange::After(Seq::MAX), 3, vec![], (11, 10)),
        (HistoryRange::Around(5), 4, vec![4, 5, 6, 7], (4, 7)),
        (HistoryRange::Around(5), 1, vec![5, 6], (5, 6)),
        (HistoryRange::Around(1), 4, vec![1, 2, 3], (1, 3)),
        (HistoryRange::Around(10), 4, vec![9, 10], (9, 10)),
        (HistoryRange::Around(Seq::MAX), 4, vec![9, 10], (9, 10)),
    ] {
        assert_eq!(page(&scene, range, limit).await, (found, covered, 10), "{range:?} {limit}");
    }
}

#[tokio::test]
async fn a_replay_brings_what_is_missing_whole_or_not_at_all() {
    let mut scene = Scene::new().await;
    let (ada, bob, eve) = (scene.ada.id, scene.bob.id, scene.eve.id);
    let (long, short) = (scene.open(ada, bob).await, scene.open(ada, eve).await);
    scene.write(bob, long, 20).await;
    scene.write(eve, short, 5).await;
    let cursor = Cursor::new;
    let replay = async |cursors: &[Cursor], max| replay(&scene.database, ada, cursors, max).await;

    let all = replay(&[cursor(long, 17), cursor(short, 4)], 300).await;
    let of = |id| all.events.iter().filter(move |event| event.conversation == id);
    assert_eq!(of(long).map(|message| message.seq).collect::<Vec<_>>(), [18, 19, 20]);
    assert_eq!(of(short).map(|message| message.seq).collect::<Vec<_>>(), [5]);
    assert!(all.truncated.is_empty() && all.reset.is_empty());

    let fitted = replay(&[cursor(long, 0), cursor(short, 0)], 20).await;
    assert_eq!(numbers(&fitted.events), [1, 2, 3, 4, 5]);
    assert_eq!(fitted.truncated, [long]);

    let exact = replay(&[cursor(long, 0), cursor(short, 5)], 20).await;
    assert_eq!(exact.events.len(), 20);

    let ahead = replay(&[cursor(long, 21), cursor(short, Seq::MAX)], 300).await;
    let mut reset = ahead.reset.clone();
    reset.sort_unstable();
    assert_eq!(reset, [long.min(short), long.max(short)]);
    assert!(ahead.events.is_empty());

    let doubled = replay(&[cursor(short, 4), cursor(short, 3)], 300).await;
    assert_eq!(numbers(&doubled.events), [4, 5], "the lower of two cursors counts, once");
    assert_eq!(replay(&[], 300).await, Default::default());
}

#[tokio::test]
async fn c06_a_replay_is_read_in_pages_of_bounded_size() {
    let mut scene = Scene::new().await;
    let (ada, bob, eve) = (scene.ada.id, scene.bob.id, scene.eve.id);
    let (long, short) = (scene.open(ada, bob).await, scene.open(ada, eve).await);
    scene.write(eve, short, 200).await;
    let body = "漢".repeat(5_000);
    let said = says(&body);
    for _ in 0..12 {
        let event = NewEvent {
            sender: bob,
            client_id: ClientId(Uuid::now_v7()),
            conversation: long,
            operation: &said,
        };
        scene.log.append(&[event]).await.unwrap();
    }
    let cursors = [long, short].map(|conversation| Cursor::new(conversation, 0));
    let mut missing = scene.database.missing(ada, cursors.into(), 300).await.unwrap();
    let (mut pages, mut seen) = (0, Vec::new());
    while !missing.ranges.is_empty() {
        let page = scene.database.replay_page(ada, &mut missing.ranges).await.unwrap();
        let size = |event: &ReplayedEvent| match &event.frame {
            ServerFrame::Event(event) => event.body().map_or(0, str::len),
            other => panic!("hidden: {other:?}"),
        };
        let bytes: usize = page.iter().map(size).sum();
        assert!(bytes < REPLAY_PAGE_BYTES + body.len() && page.len() <= 128, "{bytes}, {}", page.len());
        seen.extend(page.iter().map(|message| (message.conversation, message.seq)));
        pages += 1;
    }
    let of = |id, count| (1..=count).map(move |seq| (id, seq));
    let mut all: Vec<_> = of(long, 12).chain(of(short, 200)).collect();
    all.sort_unstable_by_key(|(id, seq)| (*id, *seq));
    assert_eq!(seen, all);
    assert!((4..=6).contains(&pages), "{pages}");
}

#[tokio::test]
async fn f26_a_cursor_at_another_message_is_reset() {
    let mut scene = Scene::new().await;
    let (ada, bob, eve) = (scene.ada.id, scene.bob.id, scene.eve.id);
    let (id, other) = (scene.open(ada, bob).await, scene.open(ada, eve).await);
    scene.write(bob, id, 5).await;
    scene.write(eve, other, 2).await;
    let history =
        scene.database.history(ada, id, HistoryRange::Newest, HistoryFilter::All, 10).await.unwrap().unwrap();
    let at = |seq: usize| OffsetDateTime::parse(&history.messages[seq - 1].at, &Rfc3339).unwrap();
    let held = |seq: usize, at| Cursor { at: Some(at), ..Cursor::new(id, seq as Seq) };
    let replay = async |cursors: &[Cursor]| replay(&scene.database, ada, cursors, 300).await;
    let wrong = at(3) + Duration::from_millis(1);

    assert_eq!(numbers(&replay(&[held(3, at(3))]).await.events), [4, 5]);
    assert_eq!(replay(&[held(5, at(5))]).await, Default::default());
    for seq in [3, 5] {
        let undone = replay(&[held(seq, wrong), Cursor::new(other, 0)]).await;
        assert_eq!(undone.reset, [id], "at {seq}");
        assert_eq!(numbers(&undone.events), [1, 2], "the other conversation goes on");
    }
    // One that was begun after what was restored, and one of other people.
    let [nowhere, foreign] = [ConversationId::fresh(), scene.open(bob, eve).await];
    for gone in [nowhere, foreign] {
        assert_eq!(replay(&[Cursor::new(gone, 4)]).await.reset, [gone]);
    }
}

#[tokio::test]
async fn f29_history_read_while_messages_arrive_has_no_hole() {
    let mut scene = Scene::new().await;
    let (ada, bob) = (scene.ada.id, scene.bob.id);
    let id = scene.open(ada, bob).await;
    let database = Database::clone(&scene.database);
    let reader = tokio::spawn(async move {
        let mut seen = Vec::new();
        while seen.len() < 200 {
            let last = seen.last().copied().unwrap_or(0);
            let history = database
                .history(bob, id, HistoryRange::After(last), HistoryFilter::All, 7)
                .await
                .unwrap()
                .unwrap();
            let page = numbers(&history.messages);
            assert!(history.last_seq >= page.last().copied().unwrap_or(0));
            seen.extend(page);
        }
        seen
    });
    for _ in 0..40 {
        scene.write(ada, id, 5).await;
    }
    assert_eq!(reader.await.unwrap(), (1..=200).collect::<Vec<Seq>>());
}

#[tokio::test]
async fn f26_the_epoch_stays_until_the_history_is_another() {
    let database = Fresh::create().await;
    let epoch = database.epoch().await.unwrap();
    assert_eq!(database.epoch().await.unwrap(), epoch);
    let mut connection = database.kept.connection().await;
    sqlx::query("UPDATE epoch SET timeline = timeline - 1").execute(&mut connection).await.unwrap();
    let restored = database.epoch().await.unwrap();
    assert_ne!(restored, epoch);
    assert_eq!(database.epoch().await.unwrap(), restored);
    assert_eq!(database.durability().await.unwrap(), []);
}
