//! Where a product is sold, as its first row or its line says it.

use chrono::{DateTime, Utc};
use souk_kernel::SalesChannelId;

use super::{Complaint, Level, Read, Table};
use crate::catalog::PublicationWish;
use crate::channels::{ChannelName, Placement};
use crate::imports::model::cells::publication_in;
use crate::imports::model::columns::{Column, Own};
use crate::imports::model::records::Record;

impl Table<'_, '_> {
    /// Whether it is sold in the shop on the web, now or later. Whoever may not say where products are sold says so whether it is for sale at all:
    /// that is its status.
    pub(super) fn published(&mut self, record: &Record) -> Option<bool> {
        let place = self.header.place(Column::Published)?;
        let wish = self.publication(record, place)?;
        let may_publish = self.ground.may_publish;
        let is_sold = wish.published != Some(false) || (may_publish && wish.publish_at.is_some());
        if may_publish {
            self.read.wish.publications.push(wish);
            self.read.places.publications.push(place);
        }
        Some(is_sold)
    }

    /// What the columns of other sales channels say; an empty cell says nothing.
    pub(super) fn publications(&mut self, record: &Record) {
        for (own, place) in &self.header.own {
            let Own::Channel(name) = own else { continue };
            let Some(wish) = self.publication(record, *place) else { continue };
            self.read.wish.publications.push(PublicationWish { channel: Some(name.clone()), ..wish });
            self.read.places.publications.push(*place);
        }
    }

    fn publication(&mut self, record: &Record, place: usize) -> Option<PublicationWish> {
        let cell = self.header.raw(record, place).trim();
        if cell.is_empty() {
            return None;
        }
        let wish = publication_in(cell);
        if wish.is_none() {
            let message = "must be TRUE or FALSE, or times, such as: from 2027-01-31T08:00:00Z until 2027-02-28T08:00:00Z";
            self.complain_at(Level::Error, record.row, place, "invalid", message);
        }
        wish
    }
}

impl Read<'_> {
    /// Finds the channels that it names, as they are now, and what it says of them.
    pub fn place(&mut self, channels: &[ChannelName], now: DateTime<Utc>) {
        let wishes = std::mem::take(&mut self.wish.publications);
        for (number, wish) in wishes.into_iter().enumerate() {
            match self.placement(&wish, channels, now) {
                Ok(Some(placement)) => self.placements.push(placement),
                Ok(None) => {}
                Err((level, part, code, message)) => {
                    let (row, field) = self.places.of(&format!("/publications/{number}{part}"));
                    let (code, message) = (code.to_owned(), message.to_owned());
                    self.complaints.push(Complaint { level, row, field, code, message });
                }
            }
        }
    }

    fn placement(
        &self,
        wish: &PublicationWish,
        channels: &[ChannelName],
        now: DateTime<Utc>,
    ) -> Result<Option<(SalesChannelId, Placement)>, Fault> {
        if !self.places.ground.may_publish {
            let message =
                "is left out: only those who may edit sales channels may say where products are sold";
            return Err((Level::Warning, "", "left_out", message));
        }
        let is_it =
            |one: &&ChannelName| wish.channel.as_ref().map_or(one.is_default, |name| one.name == *name);
        let PublicationWish { channel: _, published, publish_at, unpublish_at } = *wish;
        let placement = Placement::of(published, publish_at, unpublish_at, now).map_err(|_| {
            (Level::Error, "/unpublish_at", "out_of_range", "must be later than it is published")
        })?;
        match channels.iter().find(is_it) {
            Some(found) if self.placements.iter().any(|(known, _)| *known == found.id) => {
                Err((Level::Error, "/channel", "duplicate", "must be named once"))
            }
            Some(found) => Ok(Some((found.id, placement))),
            // It is not sold where there is nothing.
            None if !placement.published && placement.publish_at.is_none() => Ok(None),
            None => {
                let message = "must be a sales channel of this store: POST /admin/v1/channels";
                Err((Level::Error, "/channel", "unknown", message))
            }
        }
    }
}

/// How bad it is, at which part, its code, and what to do.
type Fault = (Level, &'static str, &'static str, &'static str);
