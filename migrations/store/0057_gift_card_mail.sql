-- A gift card that is mailed to whom it is for. The code that its mail has is made when the mail is, so it never was in an event or an answer.
CREATE TABLE credit_letters (
    account_id uuid PRIMARY KEY REFERENCES credit_accounts,
    email      text NOT NULL,
    message    text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL
);
