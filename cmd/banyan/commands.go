package main

// commands lists every verb in the order in which help shows them.
var commands = []command{
	formsCommand(),
	releaseCommand(),
}
