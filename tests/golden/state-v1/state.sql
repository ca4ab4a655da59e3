-- A state database of format 1, as the program that wrote that format left it: tests/e2e/test_migration.py.
PRAGMA page_size = 16384;
PRAGMA application_id = 1131376193;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE agents (id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "agents" VALUES('command-01','{"id":"command-01","type":"command","status":"idle","capacity":4,"running":0,"succeeded":0,"failed":0,"last_heartbeat":"2026-11-23T03:21:48.924Z","breaker":"closed"}');
INSERT INTO "agents" VALUES('command-02','{"id":"command-02","type":"command","status":"idle","capacity":4,"running":0,"succeeded":0,"failed":0,"last_heartbeat":"2026-11-23T03:21:48.924Z","breaker":"closed"}');
CREATE TABLE budgets (
  scope TEXT PRIMARY KEY, spent_usd_micros INTEGER NOT NULL, spent_tokens INTEGER NOT NULL, spent_calls INTEGER NOT NULL,
  spent_wall_ms INTEGER NOT NULL, reserved_usd_micros INTEGER NOT NULL, reserved_tokens INTEGER NOT NULL, reserved_calls INTEGER NOT NULL,
  reserved_wall_ms INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "budgets" VALUES('agent/wf-01M836S3C9K2DCY84BQJ1XN2CQ/command',0,0,0,32,0,0,0,0);
INSERT INTO "budgets" VALUES('agent/wf-01M836S3YJYRPVER2BQ9T2MTCY/command',0,0,0,13,0,0,0,0);
INSERT INTO "budgets" VALUES('agent/wf-01M836S4BK9RZK313ZWSZ3SXBR/command',0,0,0,14,0,0,0,0);
INSERT INTO "budgets" VALUES('agent/wf-01M836S4S7R98REVDPSKTPWP64/command',0,0,0,15,0,0,0,600000);
INSERT INTO "budgets" VALUES('project/2026-11-23',0,0,0,74,0,0,0,600000);
INSERT INTO "budgets" VALUES('task/wf-01M836S3C9K2DCY84BQJ1XN2CQ/again',0,0,0,15,0,0,0,0);
INSERT INTO "budgets" VALUES('task/wf-01M836S3C9K2DCY84BQJ1XN2CQ/hello',0,0,0,17,0,0,0,0);
INSERT INTO "budgets" VALUES('task/wf-01M836S3YJYRPVER2BQ9T2MTCY/no',0,0,0,13,0,0,0,0);
INSERT INTO "budgets" VALUES('task/wf-01M836S4BK9RZK313ZWSZ3SXBR/before',0,0,0,14,0,0,0,0);
INSERT INTO "budgets" VALUES('task/wf-01M836S4S7R98REVDPSKTPWP64/one',0,0,0,15,0,0,0,0);
INSERT INTO "budgets" VALUES('task/wf-01M836S4S7R98REVDPSKTPWP64/two',0,0,0,0,0,0,0,600000);
INSERT INTO "budgets" VALUES('workflow/wf-01M836S3C9K2DCY84BQJ1XN2CQ',0,0,0,32,0,0,0,0);
INSERT INTO "budgets" VALUES('workflow/wf-01M836S3YJYRPVER2BQ9T2MTCY',0,0,0,13,0,0,0,0);
INSERT INTO "budgets" VALUES('workflow/wf-01M836S4BK9RZK313ZWSZ3SXBR',0,0,0,14,0,0,0,0);
INSERT INTO "budgets" VALUES('workflow/wf-01M836S4S7R98REVDPSKTPWP64',0,0,0,15,0,0,0,600000);
CREATE TABLE commands (id INTEGER PRIMARY KEY AUTOINCREMENT, workflow TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, workflow TEXT NOT NULL,
  at INTEGER NOT NULL);
CREATE TABLE earlier_tries (
  step INTEGER NOT NULL, number INTEGER NOT NULL, scopes TEXT NOT NULL, usd_micros INTEGER NOT NULL, tokens INTEGER NOT NULL,
  calls INTEGER NOT NULL, wall_ms INTEGER NOT NULL, settled INTEGER NOT NULL, PRIMARY KEY (step, number)) WITHOUT ROWID;
CREATE TABLE journal (
  no INTEGER PRIMARY KEY, workflow INTEGER NOT NULL, first_seq INTEGER NOT NULL, count INTEGER NOT NULL, at INTEGER NOT NULL,
  epoch INTEGER NOT NULL, body TEXT NOT NULL);
INSERT INTO "journal" VALUES(1,1,1,1,1795404107164,1,'{"workflow":"wf-01M836S3C9K2DCY84BQJ1XN2CQ","first_seq":1,"at":"2026-11-23T03:21:47.164Z","epoch":1,"prev_sha256":"","events":[{"event":"workflow.started","v":1,"data":{"name":"done","definition":"sha256:5bf1cb8c03552f216b12e149b5df37a85e6c59cb59c8161c371da26573de475b","branch":"conductorai/wf-01M836S3C9K2DCY84BQJ1XN2CQ","base_commit":"168a23a2938ea867284d7130e8fa54aa6ac066b0","owner":"13592@vm","version":"0.1.0"}}]}');
INSERT INTO "journal" VALUES(2,1,2,1,1795404107367,1,'{"workflow":"wf-01M836S3C9K2DCY84BQJ1XN2CQ","first_seq":2,"at":"2026-11-23T03:21:47.367Z","epoch":1,"prev_sha256":"6aad1b05960214a1608a4bd4ccd8412b2ef4109c2020dda1b427691816b3218d","events":[{"event":"task.completed","v":1,"data":{"id":{"workflow":"wf-01M836S3C9K2DCY84BQJ1XN2CQ","task":"hello","round":1,"attempt":1},"agent":"command-01","verdict":"passed","summary":"exit code 0","outputs":{"greeting":"hi"},"evidence":[{"kind":"exit_code","summary":"exit code 0","value":0,"artifact":"sha256:561862dd4aa9c1e714f58885757dbed314f0d44ab6585f14bd9f4ff178b69cf5"}],"artifacts":[{"name":"command.json","type":"report","digest":"sha256:561862dd4aa9c1e714f58885757dbed314f0d44ab6585f14bd9f4ff178b69cf5","size":145}],"usage":{"calls":0,"input_tokens":0,"output_tokens":0,"cached_calls":0,"unknown_calls":0,"usd_micros":0,"wall_ms":17},"duration_ms":187}}]}');
INSERT INTO "journal" VALUES(3,1,3,5,1795404107460,1,'{"workflow":"wf-01M836S3C9K2DCY84BQJ1XN2CQ","first_seq":3,"at":"2026-11-23T03:21:47.460Z","epoch":1,"prev_sha256":"4353f703e89c692736a641a2ee8c94b2cadfc45d83b7cbb1f99dce5f0f06eccb","events":[{"event":"task.completed","v":1,"data":{"id":{"workflow":"wf-01M836S3C9K2DCY84BQJ1XN2CQ","task":"again","round":1,"attempt":1},"agent":"command-02","verdict":"passed","summary":"exit code 0","evidence":[{"kind":"exit_code","summary":"exit code 0","value":0,"artifact":"sha256:a9a1a1b96ac5574469cd1b4ac0874f8e8df51a728091ed3c01479d6b2e30a147"}],"artifacts":[{"name":"command.json","type":"report","digest":"sha256:a9a1a1b96ac5574469cd1b4ac0874f8e8df51a728091ed3c01479d6b2e30a147","size":106}],"usage":{"calls":0,"input_tokens":0,"output_tokens":0,"cached_calls":0,"unknown_calls":0,"usd_micros":0,"wall_ms":15},"duration_ms":79}},{"event":"gate.decided","v":1,"data":{"phase":"development","round":1,"passed":true,"reasons":["phase-gate: 2 of 2 verdicts in DEVELOPMENT passed (100 %), min-success-rate is 100 %"],"evidence":["sha256:561862dd4aa9c1e714f58885757dbed314f0d44ab6585f14bd9f4ff178b69cf5","sha256:a9a1a1b96ac5574469cd1b4ac0874f8e8df51a728091ed3c01479d6b2e30a147"],"next_phase":"devops"}},{"event":"gate.decided","v":1,"data":{"phase":"devops","round":1,"passed":true,"next_phase":"monitoring"}},{"event":"gate.decided","v":1,"data":{"phase":"monitoring","round":1,"passed":true}},{"event":"workflow.completed","v":1,"data":{}}]}');
INSERT INTO "journal" VALUES(4,2,1,1,1795404107735,1,'{"workflow":"wf-01M836S3YJYRPVER2BQ9T2MTCY","first_seq":1,"at":"2026-11-23T03:21:47.735Z","epoch":1,"prev_sha256":"","events":[{"event":"workflow.started","v":1,"data":{"name":"broken","definition":"sha256:ebc78843968254a019e93b20ba77b74bf6db433ddd5e5a725ba1ad12e4997679","branch":"conductorai/wf-01M836S3YJYRPVER2BQ9T2MTCY","base_commit":"168a23a2938ea867284d7130e8fa54aa6ac066b0","owner":"13629@vm","version":"0.1.0"}}]}');
INSERT INTO "journal" VALUES(5,2,2,3,1795404107904,1,'{"workflow":"wf-01M836S3YJYRPVER2BQ9T2MTCY","first_seq":2,"at":"2026-11-23T03:21:47.904Z","epoch":1,"prev_sha256":"8a5f77a7c774c0230202071d8212b8c6817e49ebccd80952eba3f3ef343dcce1","events":[{"event":"task.completed","v":1,"data":{"id":{"workflow":"wf-01M836S3YJYRPVER2BQ9T2MTCY","task":"no","round":1,"attempt":1},"agent":"command-01","verdict":"failed","summary":"exit code 1","evidence":[{"kind":"exit_code","summary":"exit code 1","value":1,"artifact":"sha256:a54f6f361cf86e6c5fb62b02d1ec8106c57154ff062982a573dfcb9be2bc26b5"}],"artifacts":[{"name":"command.stdout","type":"log","digest":"sha256:a2f5557941c7b501afc0d058998c09f541a002ea9f0aa25a3e7f85e987f258c9","size":14},{"name":"command.json","type":"report","digest":"sha256:a54f6f361cf86e6c5fb62b02d1ec8106c57154ff062982a573dfcb9be2bc26b5","size":128}],"usage":{"calls":0,"input_tokens":0,"output_tokens":0,"cached_calls":0,"unknown_calls":0,"usd_micros":0,"wall_ms":13},"duration_ms":155,"feedback":{"from":"no","severity":"error","summary":"`echo nothing doing; exit 1`: exit code 1","findings":[{"severity":"error","line":0,"message":"exit code 1: nothing doing","source":"command"}],"evidence":["sha256:a54f6f361cf86e6c5fb62b02d1ec8106c57154ff062982a573dfcb9be2bc26b5"]}}},{"event":"gate.decided","v":1,"data":{"phase":"development","round":1,"passed":false,"reasons":["phase-gate: 0 of 1 verdicts in DEVELOPMENT passed (0 %), min-success-rate is 100 %"],"evidence":["sha256:a54f6f361cf86e6c5fb62b02d1ec8106c57154ff062982a573dfcb9be2bc26b5"]}},{"event":"workflow.failed","v":1,"data":{"reason":"1 of 1 passes of DEVELOPMENT are used up, and task no still has a failed verdict: `echo nothing doing; exit 1`: exit code 1"}}]}');
INSERT INTO "journal" VALUES(6,3,1,1,1795404108152,1,'{"workflow":"wf-01M836S4BK9RZK313ZWSZ3SXBR","first_seq":1,"at":"2026-11-23T03:21:48.152Z","epoch":1,"prev_sha256":"","events":[{"event":"workflow.started","v":1,"data":{"name":"asks","definition":"sha256:4a53d60bf29f44e4aa15fdfdc814ad9330f3316267efe73586e266719e92af6e","branch":"conductorai/wf-01M836S4BK9RZK313ZWSZ3SXBR","base_commit":"168a23a2938ea867284d7130e8fa54aa6ac066b0","owner":"13655@vm","version":"0.1.0"}}]}');
INSERT INTO "journal" VALUES(7,3,2,2,1795404108279,1,'{"workflow":"wf-01M836S4BK9RZK313ZWSZ3SXBR","first_seq":2,"at":"2026-11-23T03:21:48.279Z","epoch":1,"prev_sha256":"107c419c307e84dbd85846fc5ce7f3fbd19baa1babe582a41964d49110122527","events":[{"event":"task.completed","v":1,"data":{"id":{"workflow":"wf-01M836S4BK9RZK313ZWSZ3SXBR","task":"before","round":1,"attempt":1},"agent":"command-01","verdict":"passed","summary":"exit code 0","evidence":[{"kind":"exit_code","summary":"exit code 0","value":0,"artifact":"sha256:a9a1a1b96ac5574469cd1b4ac0874f8e8df51a728091ed3c01479d6b2e30a147"}],"artifacts":[{"name":"command.json","type":"report","digest":"sha256:a9a1a1b96ac5574469cd1b4ac0874f8e8df51a728091ed3c01479d6b2e30a147","size":106}],"usage":{"calls":0,"input_tokens":0,"output_tokens":0,"cached_calls":0,"unknown_calls":0,"usd_micros":0,"wall_ms":14},"duration_ms":109}},{"event":"approval.requested","v":1,"data":{"approval":"sign@1","task":"sign","round":1,"reason":"task sign asks for approval before it starts"}}]}');
INSERT INTO "journal" VALUES(8,4,1,1,1795404108592,1,'{"workflow":"wf-01M836S4S7R98REVDPSKTPWP64","first_seq":1,"at":"2026-11-23T03:21:48.592Z","epoch":1,"prev_sha256":"","events":[{"event":"workflow.started","v":1,"data":{"name":"killed","definition":"sha256:4e7e0ee67e9ba7f70f4f09ca52b1495340610faf5107395af4db000967b079bc","branch":"conductorai/wf-01M836S4S7R98REVDPSKTPWP64","base_commit":"168a23a2938ea867284d7130e8fa54aa6ac066b0","owner":"13678@vm","version":"0.1.0"}}]}');
INSERT INTO "journal" VALUES(9,4,2,1,1795404108784,1,'{"workflow":"wf-01M836S4S7R98REVDPSKTPWP64","first_seq":2,"at":"2026-11-23T03:21:48.784Z","epoch":1,"prev_sha256":"d5a80bf98c114180bdf522ef531f2d77a41d7d29f4cf987eb50d78cc83fd5cd2","events":[{"event":"task.completed","v":1,"data":{"id":{"workflow":"wf-01M836S4S7R98REVDPSKTPWP64","task":"one","round":1,"attempt":1},"agent":"command-01","verdict":"passed","summary":"exit code 0","evidence":[{"kind":"exit_code","summary":"exit code 0","value":0,"artifact":"sha256:a9a1a1b96ac5574469cd1b4ac0874f8e8df51a728091ed3c01479d6b2e30a147"}],"artifacts":[{"name":"command.json","type":"report","digest":"sha256:a9a1a1b96ac5574469cd1b4ac0874f8e8df51a728091ed3c01479d6b2e30a147","size":106}],"usage":{"calls":0,"input_tokens":0,"output_tokens":0,"cached_calls":0,"unknown_calls":0,"usd_micros":0,"wall_ms":15},"duration_ms":171}}]}');
CREATE TABLE steps (
  no INTEGER PRIMARY KEY, workflow TEXT NOT NULL, task TEXT NOT NULL, round INTEGER NOT NULL, attempt INTEGER NOT NULL, ordinal TEXT NOT NULL,
  set_aside INTEGER NOT NULL, tries INTEGER NOT NULL, kind TEXT NOT NULL, request_digest TEXT NOT NULL, status TEXT NOT NULL,
  epoch INTEGER NOT NULL, scopes TEXT NOT NULL,
  reserved_usd_micros INTEGER NOT NULL, reserved_tokens INTEGER NOT NULL, reserved_calls INTEGER NOT NULL, reserved_wall_ms INTEGER NOT NULL,
  calls INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached_calls INTEGER NOT NULL,
  unknown_calls INTEGER NOT NULL, usd_micros INTEGER NOT NULL, wall_ms INTEGER NOT NULL, response TEXT NOT NULL, tree TEXT NOT NULL);
INSERT INTO "steps" VALUES(1,'wf-01M836S3C9K2DCY84BQJ1XN2CQ','hello',1,1,'1',0,1,'tool','sha256:a53642f7be9857c5f5e3c8b10fbf41a70f8a314f448ae64225fd51ebf846fe10','answered',1,'workflow/wf-01M836S3C9K2DCY84BQJ1XN2CQ
task/wf-01M836S3C9K2DCY84BQJ1XN2CQ/hello
agent/wf-01M836S3C9K2DCY84BQJ1XN2CQ/command
project/2026-11-23
',0,0,0,0,0,0,0,0,0,0,17,'{"exit_code":0,"signal":0,"out":{"total_bytes":0,"truncated":false},"err":{"total_bytes":0,"truncated":false},"duration_ms":17,"peak_rss_bytes":132231168,"enforced_by":"cgroup v1+rlimits+watchdog","collected":{"0":"greeting=hi\n"}}','');
INSERT INTO "steps" VALUES(2,'wf-01M836S3C9K2DCY84BQJ1XN2CQ','again',1,1,'1',0,1,'tool','sha256:10b46a535b3f3a3f2728b6b85f887cf15733b35cfaf2865fe68892a7cf1f8f6f','answered',1,'workflow/wf-01M836S3C9K2DCY84BQJ1XN2CQ
task/wf-01M836S3C9K2DCY84BQJ1XN2CQ/again
agent/wf-01M836S3C9K2DCY84BQJ1XN2CQ/command
project/2026-11-23
',0,0,0,0,0,0,0,0,0,0,15,'{"exit_code":0,"signal":0,"out":{"total_bytes":0,"truncated":false},"err":{"total_bytes":0,"truncated":false},"duration_ms":15,"peak_rss_bytes":132624384,"enforced_by":"cgroup v1+rlimits+watchdog"}','');
INSERT INTO "steps" VALUES(3,'wf-01M836S3YJYRPVER2BQ9T2MTCY','no',1,1,'1',0,1,'tool','sha256:d5e01c274cf8799839a078f6b5e23ae4e0a69828b8ed5a7dc68464c3ad3f8a6b','answered',1,'workflow/wf-01M836S3YJYRPVER2BQ9T2MTCY
task/wf-01M836S3YJYRPVER2BQ9T2MTCY/no
agent/wf-01M836S3YJYRPVER2BQ9T2MTCY/command
project/2026-11-23
',0,0,0,0,0,0,0,0,0,0,13,'{"exit_code":1,"signal":0,"out":{"head":"nothing doing\n","total_bytes":14,"truncated":false},"err":{"total_bytes":0,"truncated":false},"duration_ms":13,"peak_rss_bytes":132395008,"enforced_by":"cgroup v1+rlimits+watchdog","artifacts":[{"name":"command.stdout","type":"log","digest":"sha256:a2f5557941c7b501afc0d058998c09f541a002ea9f0aa25a3e7f85e987f258c9","size":14}]}','');
INSERT INTO "steps" VALUES(4,'wf-01M836S4BK9RZK313ZWSZ3SXBR','before',1,1,'1',0,1,'tool','sha256:10b46a535b3f3a3f2728b6b85f887cf15733b35cfaf2865fe68892a7cf1f8f6f','answered',1,'workflow/wf-01M836S4BK9RZK313ZWSZ3SXBR
task/wf-01M836S4BK9RZK313ZWSZ3SXBR/before
agent/wf-01M836S4BK9RZK313ZWSZ3SXBR/command
project/2026-11-23
',0,0,0,0,0,0,0,0,0,0,14,'{"exit_code":0,"signal":0,"out":{"total_bytes":0,"truncated":false},"err":{"total_bytes":0,"truncated":false},"duration_ms":14,"peak_rss_bytes":132403200,"enforced_by":"cgroup v1+rlimits+watchdog"}','');
INSERT INTO "steps" VALUES(5,'wf-01M836S4S7R98REVDPSKTPWP64','one',1,1,'1',0,1,'tool','sha256:10b46a535b3f3a3f2728b6b85f887cf15733b35cfaf2865fe68892a7cf1f8f6f','answered',1,'workflow/wf-01M836S4S7R98REVDPSKTPWP64
task/wf-01M836S4S7R98REVDPSKTPWP64/one
agent/wf-01M836S4S7R98REVDPSKTPWP64/command
project/2026-11-23
',0,0,0,0,0,0,0,0,0,0,15,'{"exit_code":0,"signal":0,"out":{"total_bytes":0,"truncated":false},"err":{"total_bytes":0,"truncated":false},"duration_ms":15,"peak_rss_bytes":132263936,"enforced_by":"cgroup v1+rlimits+watchdog"}','');
INSERT INTO "steps" VALUES(6,'wf-01M836S4S7R98REVDPSKTPWP64','two',1,1,'1',0,1,'tool','sha256:10b46a535b3f3a3f2728b6b85f887cf15733b35cfaf2865fe68892a7cf1f8f6f','sent',1,'workflow/wf-01M836S4S7R98REVDPSKTPWP64
task/wf-01M836S4S7R98REVDPSKTPWP64/two
agent/wf-01M836S4S7R98REVDPSKTPWP64/command
project/2026-11-23
',0,0,0,600000,0,0,0,0,0,0,0,'','');
CREATE TABLE workflows (
  no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, status TEXT NOT NULL, phase TEXT NOT NULL, round INTEGER NOT NULL,
  reason TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, owner TEXT NOT NULL, owner_lock TEXT NOT NULL,
  epoch INTEGER NOT NULL, last_seq INTEGER NOT NULL);
INSERT INTO "workflows" VALUES(1,'wf-01M836S3C9K2DCY84BQJ1XN2CQ','done','COMPLETED','MONITORING',1,'',1795404107164,1795404107460,'','',1,7);
INSERT INTO "workflows" VALUES(2,'wf-01M836S3YJYRPVER2BQ9T2MTCY','broken','FAILED','DEVELOPMENT',1,'1 of 1 passes of DEVELOPMENT are used up, and task no still has a failed verdict: `echo nothing doing; exit 1`: exit code 1',1795404107734,1795404107904,'','',1,4);
INSERT INTO "workflows" VALUES(3,'wf-01M836S4BK9RZK313ZWSZ3SXBR','asks','PAUSED','DEVELOPMENT',1,'waiting for approval of task sign',1795404108151,1795404108279,'','',1,3);
INSERT INTO "workflows" VALUES(4,'wf-01M836S4S7R98REVDPSKTPWP64','killed','IN_PROGRESS','DEVELOPMENT',1,'',1795404108592,1795404108784,'13678@vm','13678-d32c0a7bb1c855a8.lock',1,2);
CREATE INDEX workflows_newest ON workflows (created_at, id);
CREATE UNIQUE INDEX journal_order ON journal (workflow, first_seq);
CREATE INDEX steps_by_id ON steps (workflow, task, round, attempt, ordinal);
CREATE INDEX commands_of ON commands (workflow);
DELETE FROM "sqlite_sequence";
COMMIT;
