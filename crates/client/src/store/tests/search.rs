//! What is found, and what is not.

use super::*;

fn found(db: &Db, text: &str) -> Vec<String> {
    db.search(text, None, 100, None, NOW).unwrap().into_iter().map(|message| message.text).collect()
}

/// A database with these texts from Alice, the later ones later.
fn said(texts: &[&str]) -> Db {
    let mut db = db();
    let items = (1..).zip(texts).map(|(number, body)| from(alice(), at(number - 1000), text(body)));
    take(&mut db, items.collect());
    db
}

#[test]
fn words_are_found_in_any_order_without_accents_and_the_last_one_unfinished() {
    let db = said(&["Crème brûlée tonight?", "the night bus", "Нужна помощь", "NIGHTS are long"]);
    assert_eq!(found(&db, "creme BRULEE"), ["Crème brûlée tonight?"]);
    assert_eq!(found(&db, "brûlée crè"), ["Crème brûlée tonight?"]);
    assert_eq!(found(&db, "night"), ["NIGHTS are long", "the night bus"], "the newest first");
    assert_eq!(found(&db, "night bus"), ["the night bus"]);
    assert_eq!(found(&db, "нужна"), ["Нужна помощь"]);
    for nothing in ["nigth", "", "  ", "\"", "bus NOT night x", "* OR *"] {
        assert!(found(&db, nothing).is_empty(), "{nothing}");
    }
}

#[test]
fn scripts_without_spaces_are_found_in_the_middle() {
    let db = said(&["了解です、また明日。", "พรุ่งนี้เจอกันที่สถานี", "明日は雨"]);
    assert_eq!(found(&db, "また明日"), ["了解です、また明日。"]);
    assert_eq!(found(&db, "解です"), ["了解です、また明日。"]);
    assert_eq!(found(&db, "明日"), ["明日は雨", "了解です、また明日。"]);
    assert_eq!(found(&db, "เจอกัน"), ["พรุ่งนี้เจอกันที่สถานี"]);
    assert!(found(&db, "昨日").is_empty());
}

#[test]
fn a_search_can_stay_in_one_conversation_and_goes_on_page_by_page() {
    let mut db = said(&["one apple", "two apples", "three apples"]);
    take(&mut db, vec![from(bob(), at(-5), text("an apple from Bob"))]);
    let here = with(&db, alice());
    let page = db.search("apple", Some(here), 2, None, NOW).unwrap();
    assert_eq!(page.iter().map(|it| it.text.as_str()).collect::<Vec<_>>(), ["three apples", "two apples"]);
    let rest = db.search("apple", Some(here), 2, Some(page[1].id), NOW).unwrap();
    assert_eq!(rest.iter().map(|it| it.text.as_str()).collect::<Vec<_>>(), ["one apple"]);
    assert_eq!(found(&db, "apple").len(), 4);
}

#[test]
fn what_is_deleted_expired_or_no_text_is_not_found() {
    let mut db = said(&["secret plan", "secret place"]);
    let soon = IncomingKind::Message {
        text: "secret for a minute".into(),
        attachments: Vec::new(),
        quote: None,
        preview: None,
        expiry: Expiry::AfterSend(60),
    };
    let invitation = Notice::GroupInvitation { name: "secret group".into() };
    let notice = IncomingKind::Notice { notice: invitation, expiry: Expiry::Off };
    take(&mut db, vec![from(alice(), at(-10), soon), from(alice(), at(-9), notice)]);
    assert_eq!(found(&db, "secret").len(), 3);
    assert_eq!(db.search("secret", None, 10, None, at(60_000)).unwrap().len(), 2);
    let all = page(&db, alice());
    db.delete_messages(&[all[0].id]).unwrap();
    db.remove_messages(&[all[1].id]).unwrap();
    assert_eq!(found(&db, "secret"), ["secret for a minute"]);
    db.delete_expired(at(60_000)).unwrap();
    for table in ["search_words", "search_trigrams"] {
        let check = format!("INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)");
        db.sql().execute(&check, []).unwrap();
        let left: i64 = db
            .sql()
            .query_row(&format!("SELECT count(*) FROM {table} WHERE {table} MATCH '\"secret\"'"), [], |row| {
                row.get(0)
            })
            .unwrap_or(0);
        assert_eq!(left, 0, "{table}");
    }
}

#[test]
fn column_and_code_agree_on_which_scripts_have_no_spaces() {
    let db = db();
    let columns =
        "SELECT substr(sql, instr(sql, 'text GLOB'), instr(sql, ') STORED') - instr(sql, 'text GLOB'))
                   FROM sqlite_schema WHERE name = 'messages'";
    let expression: String = db.sql().query_row(columns, [], |row| row.get(0)).unwrap();
    let sql = format!("SELECT {expression} FROM (SELECT ?1 AS text)");
    let mut column = db.sql().prepare(&sql).unwrap();
    let edges = [
        0x41, 0x5b, 0x5d, 0x2d, 0xe00, 0x10a0, 0x1780, 0x1800, 0x2e80, 0x3200, 0x3400, 0x4dc0, 0x4e00,
        0xa000, 0xac00, 0xf900, 0xfb00, 0xff66, 0xffa0, 0x1_f600, 0x2_0000, 0x3_ffff, 0x4_0000,
    ];
    for c in edges.into_iter().flat_map(|edge: u32| [edge - 1, edge, edge + 1]).filter_map(char::from_u32) {
        let wanted = crate::store::search::runs_together(c);
        let found: bool = column.query_row([format!("a{c}b")], |row| row.get(0)).unwrap();
        assert_eq!(found, wanted, "{:x}", u32::from(c));
    }
}
