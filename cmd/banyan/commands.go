package main

// commands lists every verb in the order in which help shows them.
var commands = []command{
	{"demo", "serve an invented country, to look at everything", runDemo},
	{"serve", "serve the staff app and the API", runServe},
	formsCommand(),
	{"verify", "hold the whole record against itself and name what is wrong", runVerify},
	{"rebuild", "draw every list and count anew from the journal", runRebuild},
	{"backup", "write the record and its keys to two sealed files", runBackup},
	{"restore", "bring a backup into a new data folder", runRestore},
	{"erase", "destroy the keys of one case; it takes two people", runErase},
	registerCommand(),
	releaseCommand(),
	scopeCommand(),
	benchCommand(),
}
