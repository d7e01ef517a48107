package server

// RaceEnabled is raceEnabled for the tests from outside.
const RaceEnabled = raceEnabled

// RestoreInSteps is restore for the tests from outside.
var RestoreInSteps = restore
