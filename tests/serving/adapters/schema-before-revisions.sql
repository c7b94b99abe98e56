CREATE TABLE jobs (
	id VARCHAR(32) NOT NULL, 
	user_id VARCHAR(200) NOT NULL, 
	channel VARCHAR(50) NOT NULL, 
	document_id VARCHAR(500) NOT NULL, 
	title TEXT NOT NULL, 
	language VARCHAR(35) NOT NULL, 
	guidelines TEXT, 
	version VARCHAR(20) NOT NULL, 
	code_digest VARCHAR(64) NOT NULL, 
	blob VARCHAR(64) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	attempt INTEGER NOT NULL, 
	done INTEGER NOT NULL, 
	total INTEGER, 
	guideline VARCHAR(64) NOT NULL, 
	reason TEXT NOT NULL, 
	submitted_at DATETIME NOT NULL, 
	started_at DATETIME, 
	finished_at DATETIME, 
	lease_until DATETIME, 
	idempotency_key VARCHAR(200), 
	request_hash VARCHAR(64) NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (user_id, idempotency_key)
);
CREATE INDEX ix_jobs_status_submitted ON jobs (status, submitted_at);
CREATE TABLE kept_checks (
	"key" VARCHAR(64) NOT NULL, 
	verdict BLOB NOT NULL, 
	kept_at DATETIME NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE INDEX ix_kept_checks_kept_at ON kept_checks (kept_at);
CREATE TABLE served_versions (
	number VARCHAR(20) NOT NULL, 
	stamp TEXT NOT NULL, 
	pack TEXT NOT NULL, 
	champion BOOLEAN NOT NULL, 
	served_at DATETIME NOT NULL, 
	PRIMARY KEY (number)
);
CREATE TABLE outbox (
	job_id VARCHAR(32) NOT NULL, 
	attempts INTEGER NOT NULL, 
	due_at DATETIME, 
	reason TEXT NOT NULL, 
	run_id VARCHAR(64) NOT NULL, 
	PRIMARY KEY (job_id), 
	FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
CREATE INDEX ix_outbox_due ON outbox (due_at);
CREATE TABLE recordings (
	job_id VARCHAR(32) NOT NULL, 
	recording BLOB NOT NULL, 
	PRIMARY KEY (job_id), 
	FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
CREATE TABLE results (
	job_id VARCHAR(32) NOT NULL, 
	report TEXT NOT NULL, 
	PRIMARY KEY (job_id), 
	FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO jobs (id, user_id, channel, document_id, title, language, version, code_digest, blob, status, attempt, done, guideline, reason, submitted_at, request_hash)
VALUES ('old', 'ada', 'api', '', '', 'en', '1', 'c', 'b', 'completed', 1, 2, '', '', '2026-11-01 10:00:00', '')
