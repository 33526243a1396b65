//! The statements of classes, settings, exemptions and VAT numbers.

use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{CustomerGroupId, CustomerId, TaxExemptionId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::tax::model::{
    ClassCode, NewTaxExemption, PutTaxClass, PutTaxSettings, TaxClassView, TaxExemptionView, TaxNumberView,
    TaxSettings, VatNumber,
};

#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = SqlUuid)]
    id: TaxExemptionId,
}

/// All classes, by code; at most 1000.
pub async fn classes(tx: &mut ReadTx<'_>) -> Result<Vec<TaxClassView>, DbError> {
    let statement = sql(
        "SELECT c.code, c.name, (SELECT count(*) FROM product_variants v WHERE v.tax_class = c.code) AS variants \
         FROM tax_classes c ORDER BY c.code LIMIT 1000",
    );
    tx.load(statement).await
}

/// Writes a class, new or with a new name.
pub async fn put_class(
    tx: &mut WriteTx<'_>,
    code: &ClassCode,
    class: &PutTaxClass,
) -> Result<TaxClassView, DbError> {
    let now = tx.now();
    let statement = sql("INSERT INTO tax_classes AS c (code, name, created_at) VALUES ($1, $2, $3) \
         ON CONFLICT (code) DO UPDATE SET name = EXCLUDED.name \
         RETURNING c.code, c.name, (SELECT count(*) FROM product_variants v WHERE v.tax_class = c.code) AS variants");
    let statement = statement
        .bind::<Text, _>(code.as_str().to_owned())
        .bind::<Text, _>(class.name.clone())
        .bind::<Timestamptz, _>(now);
    tx.one(statement).await
}

/// Removes a class that nothing is of. `false`: there is none.
pub async fn delete_class(tx: &mut WriteTx<'_>, code: &ClassCode) -> Result<bool, DbError> {
    let statement = sql("DELETE FROM tax_classes WHERE code = $1").bind::<Text, _>(code.as_str().to_owned());
    Ok(tx.execute(statement).await? == 1)
}

/// How tax is worked out.
pub async fn settings(tx: &mut ReadTx<'_>) -> Result<TaxSettings, DbError> {
    tx.one(sql("SELECT shipping, shipping_class, reverse_charge, relieved_pay, version FROM tax_settings"))
        .await
}

/// The same, locked until the transaction ends.
pub async fn lock_settings(tx: &mut WriteTx<'_>) -> Result<TaxSettings, DbError> {
    let text =
        "SELECT shipping, shipping_class, reverse_charge, relieved_pay, version FROM tax_settings FOR UPDATE";
    tx.one(sql(text)).await
}

/// Replaces all of it.
pub async fn put_settings(tx: &mut WriteTx<'_>, wish: &PutTaxSettings) -> Result<TaxSettings, DbError> {
    let now = tx.now();
    let statement = sql(
        "UPDATE tax_settings SET shipping = $1, shipping_class = $2, reverse_charge = $3, relieved_pay = $4, \
         version = version + 1, updated_at = $5 \
         RETURNING shipping, shipping_class, reverse_charge, relieved_pay, version",
    );
    let statement = statement
        .bind::<Text, _>(if wish.shipping_follows_goods { "goods" } else { "class" })
        .bind::<Nullable<Text>, _>(wish.shipping_class.clone().map(ClassCode::into_string))
        .bind::<Text, _>(wish.reverse_charge.as_str())
        .bind::<Text, _>(wish.relieved_pay.as_str())
        .bind::<Timestamptz, _>(now);
    tx.one(statement).await
}

/// Exemptions, newest first, past ones included; at most 1000. Of a customer also those of the groups they are in.
///
/// # Errors
/// The database's only.
pub async fn exemptions(
    tx: &mut ReadTx<'_>,
    customer: Option<CustomerId>,
    group: Option<CustomerGroupId>,
) -> Result<Vec<TaxExemptionView>, DbError> {
    let statement = sql(
        "SELECT id, customer_id, group_id, country, province, reason, certificate, valid_from, valid_to FROM tax_exemptions \
         WHERE ($1::uuid IS NULL OR customer_id = $1 OR group_id IN (SELECT m.group_id FROM customer_group_members m WHERE m.customer_id = $1)) \
         AND ($2::uuid IS NULL OR group_id = $2) ORDER BY id DESC LIMIT 1000",
    );
    tx.load(statement.bind::<Nullable<SqlUuid>, _>(customer).bind::<Nullable<SqlUuid>, _>(group)).await
}

/// Writes an exemption.
pub async fn insert_exemption(
    tx: &mut WriteTx<'_>,
    new: &NewTaxExemption,
) -> Result<TaxExemptionView, DbError> {
    let now = tx.now();
    let statement = sql(
        "INSERT INTO tax_exemptions (id, customer_id, country, province, reason, certificate, valid_from, valid_to, created_at, group_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         RETURNING id, customer_id, group_id, country, province, reason, certificate, valid_from, valid_to",
    );
    let statement = statement
        .bind::<SqlUuid, _>(TaxExemptionId::new())
        .bind::<Nullable<SqlUuid>, _>(new.customer)
        .bind::<Nullable<Text>, _>(new.country)
        .bind::<Nullable<Text>, _>(new.province.clone())
        .bind::<Text, _>(new.reason.as_str())
        .bind::<Text, _>(new.certificate.clone())
        .bind::<Timestamptz, _>(new.valid_from.unwrap_or(now))
        .bind::<Nullable<Timestamptz>, _>(new.valid_to)
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<SqlUuid>, _>(new.customer_group);
    tx.one(statement).await
}

/// Ends an exemption now; one that was never in force goes. `false`: there is none that could end.
pub async fn end_exemption(tx: &mut WriteTx<'_>, id: TaxExemptionId) -> Result<bool, DbError> {
    let now = tx.now();
    let statement =
        sql("WITH planned AS (DELETE FROM tax_exemptions WHERE id = $1 AND valid_from >= $2 RETURNING id), \
         running AS (UPDATE tax_exemptions SET valid_to = $2 \
                     WHERE id = $1 AND valid_from < $2 AND (valid_to IS NULL OR valid_to > $2) RETURNING id) \
         SELECT id FROM planned UNION ALL SELECT id FROM running");
    let statement = statement.bind::<SqlUuid, _>(id).bind::<Timestamptz, _>(now);
    let ended: Option<Ended> = tx.optional(statement).await?;
    Ok(ended.is_some_and(|ended| ended.id == id))
}

/// Takes a customer's exemptions away, whom the store has to forget; what was sold under them keeps its reason.
///
/// # Errors
/// The database's only.
pub async fn forget(tx: &mut WriteTx<'_>, customer: CustomerId) -> Result<(), DbError> {
    let statement = sql("DELETE FROM tax_exemptions WHERE customer_id = $1").bind::<SqlUuid, _>(customer);
    tx.execute(statement).await.map(drop)
}

/// Keeps what is known of a number; that its form is right says nothing new about one that its country has been asked about.
pub async fn note_number(tx: &mut WriteTx<'_>, number: &VatNumber, outcome: &str) -> Result<(), DbError> {
    let now = tx.now();
    let statement =
        sql("INSERT INTO tax_numbers AS known (number, outcome, checked_at) VALUES ($1, $2, $3) \
         ON CONFLICT (number) DO UPDATE SET outcome = EXCLUDED.outcome, checked_at = EXCLUDED.checked_at \
         WHERE EXCLUDED.outcome <> 'well_formed'");
    let statement = statement
        .bind::<Text, _>(number.as_str().to_owned())
        .bind::<Text, _>(outcome.to_owned())
        .bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

/// What is known of a number that was noted.
pub async fn number(tx: &mut ReadTx<'_>, number: &VatNumber) -> Result<TaxNumberView, DbError> {
    let statement = sql("SELECT number, outcome, checked_at FROM tax_numbers WHERE number = $1");
    tx.one(statement.bind::<Text, _>(number.as_str().to_owned())).await
}
