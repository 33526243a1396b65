//! Whether an event says what its kind is announced to say: its data held against the JSON Schema that merchants are given.

use std::collections::HashMap;
use std::sync::LazyLock;

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::Value;

use crate::feed::announced;

struct Forms {
    schemas: Schemas,
    known: HashMap<(&'static str, u16), SchemaIndex>,
}

static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    compiler.set_default_draft(Draft::V2020_12);
    compiler.enable_format_assertions();
    let mut known = HashMap::new();
    for event in announced() {
        let place = format!("https://souk.example/{}.v{}.json", event.kind, event.version);
        compiler.add_resource(&place, event.schema.clone()).unwrap();
        let schema = compiler.compile(&place, &mut schemas);
        let schema = schema.unwrap_or_else(|error| panic!("{} is no JSON Schema: {error:#}", event.kind));
        known.insert((event.kind, event.version), schema);
    }
    Forms { schemas, known }
});

/// What is wrong with the data of an event of this kind and version, if anything is. A version before today's has no schema any more.
pub fn complaint(kind: &str, version: u16, data: &Value) -> Option<String> {
    let Some(announced) = announced().iter().find(|event| event.kind == kind) else {
        return Some(format!("{kind} is not announced"));
    };
    if version < announced.version {
        return None;
    }
    let Some(schema) = FORMS.known.get(&(announced.kind, version)) else {
        return Some(format!("{kind} is announced in version {}, not in {version}", announced.version));
    };
    let found = FORMS.schemas.validate(data, *schema);
    found.err().map(|error| format!("{kind} v{version}: {error:#}: {data}"))
}

/// From now on a test fails that states something of another form than it is announced with, where it states it.
pub fn watch() {
    // Now, and not in the middle of a transaction.
    LazyLock::force(&FORMS);
    souk_event_bus::test_support::watch(|kind, version, data| {
        assert_eq!(complaint(kind, version, data), None);
    });
}
