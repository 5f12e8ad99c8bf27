#!/bin/sh
# Runs once, when PostgreSQL's volume is new: a database and a role for each part. A role can connect to its own
# database and to no other's.
set -eu

create() {
    psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        --set name="$1" --set password="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
}

create monolith "$MONOLITH_DB_PASSWORD"
create catalog "$CATALOG_DB_PASSWORD"
