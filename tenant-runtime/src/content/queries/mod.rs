//! The statements of what a shop says.

pub mod menus;
pub mod pages;
pub mod policies;

use diesel::QueryableByName;
use diesel::sql_types::Text;

#[derive(QueryableByName)]
struct HandleRow {
    #[diesel(sql_type = Text)]
    handle: String,
}

fn handles(rows: Vec<HandleRow>) -> Vec<String> {
    rows.into_iter().map(|row| row.handle).collect()
}
