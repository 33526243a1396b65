use super::*;

fn key() -> CursorKey {
    CursorKey::new(b"a secret for tests")
}

#[test]
fn a_cursor_comes_back_as_it_went() {
    let cursor = Cursor::sign(&key(), "orders|sto_1|paid", &(17, "ord_9")).expect("signed");
    let (at, id): (i64, String) = cursor.open(&key(), "orders|sto_1|paid").expect("opened");
    assert_eq!((at, id.as_str()), (17, "ord_9"));
}

#[test]
fn a_cursor_is_for_one_list_and_one_key() {
    let cursor = Cursor::sign(&key(), "orders|sto_1", &1).expect("signed");
    assert!(cursor.open::<i64>(&key(), "orders|sto_2").is_err());
    assert!(cursor.open::<i64>(&key(), "orders|sto_").is_err());
    assert!(cursor.open::<i64>(&CursorKey::new(b"another"), "orders|sto_1").is_err());
}

#[test]
fn every_altered_bit_is_noticed() {
    let cursor = Cursor::sign(&key(), "s", &("2026", "ord_1")).expect("signed");
    let bytes = URL_SAFE_NO_PAD.decode(cursor.as_str()).expect("base64");
    for position in 0..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[position] ^= 1 << bit;
            let altered = Cursor::from_client(URL_SAFE_NO_PAD.encode(altered));
            let problem = altered.open::<serde_json::Value>(&key(), "s").expect_err("must be refused");
            assert_eq!((problem.code(), problem.status().as_u16()), ("invalid_cursor", 400));
        }
    }
    for text in ["", "=", "abc", "é", &"A".repeat(5000)] {
        assert!(Cursor::from_client(text).open::<i64>(&key(), "s").is_err(), "{text}");
    }
}

#[test]
fn a_key_does_not_show_itself() {
    assert_eq!(format!("{:?}", key()), "CursorKey(…)");
}
