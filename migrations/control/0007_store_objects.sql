-- Where a store is a Store object of a Kubernetes cluster: which one, whose word counts, and what the two disagree about.
ALTER TABLE control.stores
    -- Both NULL: the store was made by this plane's own provisioner.
    ADD COLUMN namespace    text CHECK (length(namespace) BETWEEN 1 AND 63),
    ADD COLUMN resource     text CHECK (length(resource) BETWEEN 1 AND 63),
    -- The object's uid: a name used again is another object. NULL until it was seen.
    ADD COLUMN resource_uid text,
    ADD COLUMN managed_by   text NOT NULL DEFAULT 'control_plane' CHECK (managed_by IN ('control_plane', 'kubernetes')),
    ADD COLUMN conflicts    jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(conflicts) = 'array'),
    ADD CHECK ((namespace IS NULL) = (resource IS NULL)),
    ADD CHECK (resource IS NOT NULL OR (resource_uid IS NULL AND managed_by = 'control_plane'));
-- One row an object, also when two processes import it at once.
CREATE UNIQUE INDEX stores_resource_uid ON control.stores (resource_uid);

ALTER TABLE control.operations DROP CONSTRAINT operations_kind_check;
ALTER TABLE control.operations ADD CONSTRAINT operations_kind_check CHECK (kind IN ('open_store', 'update_store', 'suspend_store',
    'resume_store', 'delete_store', 'restore_store', 'purge_store', 'take_over_store', 'hand_over_store'));

-- What a running step waits for, in words an owner may read.
ALTER TABLE control.operation_steps ADD COLUMN detail text;
