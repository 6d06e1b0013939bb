CREATE TABLE members (id bigserial PRIMARY KEY, email text NOT NULL);
