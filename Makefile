.PHONY: run test check
run:
	go run ./cmd/sessiond serve --dev

# Everything: modules, Node packages, Go tests with the race detector, and the
# specification's client against the real program.
test:
	./test/setup
	go test -race -timeout 30m ./...
	go test -run 'SameTime|ALeak|Linker|Malformed|Anothers|OpensNothing|TenThousand|RestoredBackup|Linearizable|OnlyNarrow|ComesBack|AMillion|OfEveryKind' ./server ./test/anonymity ./token ./wallet/icp
