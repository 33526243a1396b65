//! Names of things: a `UUIDv7` that knows what it names, `prd_01h455vb4pex5vsknk084sn02q` on the wire.
//!
//! The text is a `TypeID`: the kind's prefix, `_`, and the 128 bits in 26 characters of Crockford's base32, lower case.
//! Parsing `sto_…` as an `OrderId` fails. Ids sort by the time they were made; nothing else may be read from them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// What an id names. Implemented by the closed list in [`kind`] and by nothing else.
pub trait Kind {
    /// The letters before `_` in the id's text.
    const PREFIX: &'static str;
    /// The noun, as one would say it: `order line`.
    const NAME: &'static str;
}

/// The id of one `K`. Column type: `uuid`.
#[cfg_attr(
    feature = "diesel",
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
    diesel(sql_type = diesel::sql_types::Uuid)
)]
pub struct Id<K> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

/// The text was not the id of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an id of kind {name}: \"{prefix}_\" and 26 characters")]
pub struct IdError {
    prefix: &'static str,
    name: &'static str,
}

impl<K> Id<K> {
    /// A fresh id, later in order than every id this process made before.
    #[expect(clippy::new_without_default, reason = "a default id would be a different one each time")]
    pub fn new() -> Self {
        Self::from_uuid(Uuid::now_v7())
    }

    /// The id with these 128 bits, whatever UUID version they say.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, kind: PhantomData }
    }

    /// The 128 bits.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }

    /// The 26 characters without the prefix, as used in the names of schemas and roles.
    pub fn suffix(self) -> String {
        let bits = self.uuid.as_u128();
        (0..26).rev().map(|place| letter(bits >> (place * 5))).collect()
    }
}

impl<K: Kind> Id<K> {
    const ERROR: IdError = IdError { prefix: K::PREFIX, name: K::NAME };

    /// Read `prd_01h455vb4pex5vsknk084sn02q`. No other case, no other prefix, no surrounding space.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let suffix =
            text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(Self::ERROR)?;
        Self::from_suffix(suffix)
    }

    /// Read the 26 characters that [`Id::suffix`] wrote.
    pub fn from_suffix(suffix: &str) -> Result<Self, IdError> {
        // The first character carries three bits only: anything above '7' would not fit 128 bits.
        if suffix.len() != 26 || !suffix.starts_with(|first| ('0'..='7').contains(&first)) {
            return Err(Self::ERROR);
        }
        let bits = suffix.bytes().try_fold(0_u128, |bits, byte| Some((bits << 5) | u128::from(digit(byte)?)));
        bits.map(|bits| Self::from_uuid(Uuid::from_u128(bits))).ok_or(Self::ERROR)
    }
}

/// The character for the lowest five bits.
fn letter(bits: u128) -> char {
    let five = u8::try_from(bits & 0b1_1111).unwrap_or_default();
    char::from(match five {
        0..=9 => b'0' + five,
        10..=17 => b'a' + (five - 10),
        18..=19 => b'j' + (five - 18),
        20..=21 => b'm' + (five - 20),
        22..=26 => b'p' + (five - 22),
        _ => b'v' + (five - 27),
    })
}

/// The five bits of a character; `i`, `l`, `o`, `u` and capitals are none.
fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'h' => Some(letter - b'a' + 10),
        b'j'..=b'k' => Some(letter - b'j' + 18),
        b'm'..=b'n' => Some(letter - b'm' + 20),
        b'p'..=b't' => Some(letter - b'p' + 22),
        b'v'..=b'z' => Some(letter - b'v' + 27),
        _ => None,
    }
}

// Written out, because a derive would ask `K` for the same traits.
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.suffix())
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl<K: Kind> TryFrom<String> for Id<K> {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(&text)
    }
}

impl<K> From<Id<K>> for Uuid {
    fn from(id: Id<K>) -> Uuid {
        id.uuid
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::column::deserialize_text(from, "an id in a string")
    }
}

#[cfg(feature = "diesel")]
impl<K: Kind, DB> diesel::serialize::ToSql<diesel::sql_types::Uuid, DB> for Id<K>
where
    DB: diesel::backend::Backend,
    Uuid: diesel::serialize::ToSql<diesel::sql_types::Uuid, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
        diesel::serialize::ToSql::<diesel::sql_types::Uuid, DB>::to_sql(&self.uuid, out)
    }
}

#[cfg(feature = "diesel")]
impl<K, DB> diesel::deserialize::FromSql<diesel::sql_types::Uuid, DB> for Id<K>
where
    DB: diesel::backend::Backend,
    Uuid: diesel::deserialize::FromSql<diesel::sql_types::Uuid, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
        <Uuid as diesel::deserialize::FromSql<diesel::sql_types::Uuid, DB>>::from_sql(bytes)
            .map(Self::from_uuid)
    }
}

/// The closed list of kinds: marker, prefix, noun, alias.
macro_rules! kinds {
    ($($kind:ident $prefix:literal $name:literal $alias:ident;)*) => {
        /// Markers for [`Id`]; they have no values.
        pub mod kind {
            $(
                #[doc = concat!("Marks the id of one ", $name, ".")]
                pub enum $kind {}
                impl super::Kind for $kind {
                    const PREFIX: &'static str = $prefix;
                    const NAME: &'static str = $name;
                }
            )*
        }
        $(
            #[doc = concat!("The id of one ", $name, ": `", $prefix, "_…`.")]
            pub type $alias = Id<kind::$kind>;
        )*
        /// The schema of the id whose schema has this name.
        #[cfg(feature = "openapi")]
        pub(crate) fn schema_named(name: &str) -> Option<utoipa::openapi::RefOr<utoipa::openapi::Schema>> {
            use utoipa::{PartialSchema, ToSchema};
            $(
                if <$alias as ToSchema>::name() == name {
                    return Some(<$alias as PartialSchema>::schema());
                }
            )*
            None
        }
        #[cfg(test)]
        const KINDS: &[(&str, &str, &str)] = &[$(($prefix, $name, stringify!($alias))),*];
    };
}

kinds! {
    Account "acc" "account" AccountId;
    Organization "org" "organization" OrganizationId;
    Member "mem" "member" MemberId;
    Invitation "inv" "invitation" InvitationId;
    Operation "op" "operation" OperationId;
    Session "ses" "session" SessionId;
    Identity "idn" "identity" IdentityId;
    Store "sto" "store" StoreId;
    Staff "stf" "staff" StaffId;
    Role "rol" "role" RoleId;
    ApiKey "key" "api key" ApiKeyId;
    App "app" "app" AppId;
    Customer "cus" "customer" CustomerId;
    CustomerGroup "cgr" "customer group" CustomerGroupId;
    Address "adr" "address" AddressId;
    Product "prd" "product" ProductId;
    ProductOption "opt" "option" OptionId;
    OptionValue "ova" "option value" OptionValueId;
    Variant "var" "variant" VariantId;
    Image "img" "image" ImageId;
    ImageFetch "imf" "image fetch" ImageFetchId;
    Collection "col" "collection" CollectionId;
    Category "cat" "category" CategoryId;
    MetafieldDefinition "mfd" "metafield definition" MetafieldDefinitionId;
    SalesChannel "chn" "sales channel" SalesChannelId;
    Page "pag" "page" PageId;
    Menu "mnu" "menu" MenuId;
    Price "prc" "price" PriceId;
    InventoryItem "iit" "inventory item" InventoryItemId;
    Location "loc" "location" LocationId;
    Reservation "rsv" "reservation" ReservationId;
    StockMovement "smv" "stock movement" StockMovementId;
    StockTransfer "stt" "stock transfer" StockTransferId;
    Cart "crt" "cart" CartId;
    CartLine "cln" "cart line" CartLineId;
    CheckoutSession "cks" "checkout session" CheckoutSessionId;
    DraftOrder "dft" "draft order" DraftOrderId;
    Order "ord" "order" OrderId;
    OrderLine "oln" "order line" OrderLineId;
    PaymentSession "pse" "payment session" PaymentSessionId;
    Payment "pay" "payment" PaymentId;
    PaymentTransaction "ptx" "payment transaction" PaymentTransactionId;
    Refund "rfd" "refund" RefundId;
    Dispute "dsp" "dispute" DisputeId;
    Invoice "ivc" "invoice" InvoiceId;
    Fulfillment "ful" "fulfillment" FulfillmentId;
    ShippingZone "szo" "shipping zone" ShippingZoneId;
    ShippingRate "shr" "shipping rate" ShippingRateId;
    ShippingLine "shl" "shipping line" ShippingLineId;
    TaxRegion "txr" "tax region" TaxRegionId;
    TaxRate "trt" "tax rate" TaxRateId;
    TaxLine "txl" "tax line" TaxLineId;
    TaxExemption "txe" "tax exemption" TaxExemptionId;
    LedgerAccount "lac" "ledger account" LedgerAccountId;
    JournalEntry "jrn" "journal entry" JournalEntryId;
    Posting "pst" "posting" PostingId;
    Event "evt" "event" EventId;
    Message "msg" "message" MessageId;
    Subscription "sub" "subscription" SubscriptionId;
    WebhookEndpoint "whe" "webhook endpoint" WebhookEndpointId;
    WebhookDelivery "whd" "webhook delivery" WebhookDeliveryId;
    AuditEntry "aud" "audit entry" AuditEntryId;
    Domain "dom" "domain" DomainId;
    StoreGrant "gnt" "grant" StoreGrantId;
    Market "mkt" "market" MarketId;
    Discount "dsc" "discount" DiscountId;
    DiscountAllocation "dal" "discount allocation" DiscountAllocationId;
    Credit "crd" "credit account" CreditId;
    PriceList "pls" "price list" PriceListId;
    Import "imp" "import" ImportId;
    Request "req" "request" RequestId;
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// From the `TypeID` specification (`valid.json`).
    #[test]
    fn vectors_of_the_specification() {
        for (uuid, suffix) in [
            ("00000000-0000-0000-0000-000000000000", "00000000000000000000000000"),
            ("00000000-0000-0000-0000-00000000000a", "0000000000000000000000000a"),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", "7zzzzzzzzzzzzzzzzzzzzzzzzz"),
            ("0110c853-1d09-52d8-d73e-1194e95b5f19", "0123456789abcdefghjkmnpqrs"),
            ("01890a5d-ac96-774b-bcce-b302099a8057", "01h455vb4pex5vsknk084sn02q"),
        ] {
            let id = ProductId::from_uuid(uuid.parse().unwrap());
            assert_eq!(id.suffix(), suffix);
            assert_eq!(id.to_string(), format!("prd_{suffix}"));
            assert_eq!(format!("prd_{suffix}").parse(), Ok(id));
        }
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in [
            "",
            "prd",
            "prd_",
            "_01h455vb4pex5vsknk084sn02q",
            "01h455vb4pex5vsknk084sn02q",
            "sto_01h455vb4pex5vsknk084sn02q",
            "PRD_01h455vb4pex5vsknk084sn02q",
            "prd_01H455VB4PEX5VSKNK084SN02Q",
            "prd_81h455vb4pex5vsknk084sn02q",
            "prd_01h455vb4pex5vsknk084sn02",
            "prd_01h455vb4pex5vsknk084sn02qq",
            "prd_01h455vb4pex5vsknk084sn0lq",
            "prd_01h455vb4pex5vsknk084sn0éq",
            " prd_01h455vb4pex5vsknk084sn02q",
            "prd_prd_01h455vb4pex5vsknk084sn",
        ] {
            assert!(ProductId::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(
            OrderLineId::parse("x").unwrap_err().to_string(),
            "must be an id of kind order line: \"oln_\" and 26 characters"
        );
    }

    #[test]
    fn prefixes_and_nouns_are_used_once() {
        let (mut prefixes, mut nouns) = (HashSet::new(), HashSet::new());
        for (prefix, name, alias) in KINDS {
            assert!(prefix.bytes().all(|byte| byte.is_ascii_lowercase()), "{prefix}");
            assert!(prefixes.insert(*prefix) && nouns.insert(*name), "{prefix} {name}");
            assert!(alias.ends_with("Id"));
        }
    }

    #[test]
    fn later_ids_sort_later() {
        let ids: Vec<OrderId> = (0..1000).map(|_| OrderId::new()).collect();
        assert!(ids.is_sorted());
        assert!(ids.iter().map(|id| id.to_string()).is_sorted());
        assert_eq!(ids[0].uuid().get_version_num(), 7);
    }

    #[test]
    fn json_is_the_text() {
        let id = StoreId::from_suffix("01h455vb4pex5vsknk084sn02q").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"sto_01h455vb4pex5vsknk084sn02q\"");
        assert_eq!(serde_json::from_str::<StoreId>("\"sto_01h455vb4pex5vsknk084sn02q\"").unwrap(), id);
        assert!(serde_json::from_str::<OrderId>("\"sto_01h455vb4pex5vsknk084sn02q\"").is_err());
        assert!(serde_json::from_str::<OrderId>("7").unwrap_err().to_string().contains("an id in a string"));
    }

    proptest! {
        #[test]
        fn every_id_reads_back(bits: u128) {
            let id = CartId::from_uuid(Uuid::from_u128(bits));
            prop_assert_eq!(CartId::parse(&id.to_string()), Ok(id));
        }

        #[test]
        fn text_order_is_id_order(a: u128, b: u128) {
            let (a, b) = (CartId::from_uuid(Uuid::from_u128(a)), CartId::from_uuid(Uuid::from_u128(b)));
            prop_assert_eq!(a.cmp(&b), a.suffix().cmp(&b.suffix()));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}|prd_\\PC{0,30}") {
            let _ = ProductId::parse(&text);
        }
    }
}
