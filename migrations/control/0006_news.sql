-- What acts say to people, laid ready in their own commits: e-mails to be sent, alerts that are raised or over. A worker takes it from here.
CREATE TABLE news (
    id uuid PRIMARY KEY,
    topic text NOT NULL CHECK (topic IN ('mail', 'alert')),
    body bytea NOT NULL,                     -- JSON, sealed with the installation's key: links in e-mails are secrets
    at bigint NOT NULL
);
