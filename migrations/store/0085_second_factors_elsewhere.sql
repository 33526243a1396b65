-- A provider that must have asked for a second factor: `amr` says so, or `acr` is one of those that its owner named.

ALTER TABLE identity_providers ADD COLUMN require_multi_factor boolean NOT NULL DEFAULT false;
ALTER TABLE identity_providers ADD COLUMN acr_values text[] NOT NULL DEFAULT '{}';
