-- What was escalated is listed by its date: the index holds that order and all
-- that the choice needs, so that a list ends after its length, however many
-- tasks there are.
DROP INDEX case_task_boss;
CREATE INDEX case_task_boss ON case_task (boss, due_at, boss_at, owner, stream, key);
DROP INDEX case_task_above;
CREATE INDEX case_task_above ON case_task (org, above, due_at, above_at, stream, key);
