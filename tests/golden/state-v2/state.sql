-- What makes a state database of format 2 of state-v1/state.sql, as the program that wrote format 2 did.
CREATE TABLE removals (workflow TEXT PRIMARY KEY) WITHOUT ROWID;
INSERT INTO removals VALUES('wf-01M836S2ZZZZZZZZZZZZZZZZZZ');
PRAGMA user_version = 2;
