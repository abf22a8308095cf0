package memory_test

import (
	"testing"

	"gatefold/adapters/memory"
	"gatefold/test/conformance"
)

func openRepository(conformance.TB) conformance.Repositories {
	repository := memory.NewRepository()
	return conformance.Repositories{
		Images:    repository.Images(),
		Archive:   repository.Images(),
		Reviser:   repository.Images(),
		Accounts:  repository.Images(),
		ChangeLog: repository.ChangeLog(),
		Modified:  repository.ChangeLog(),
		Artists:   repository.Artists(),
		Albums:    repository.Albums(),
		Users:     repository.Users(),
		Bin:       repository.Bin(),
		Library:   repository.Library(),
		Tokens:    repository.Tokens(),
		Logins:    repository.Accounts(),
		Sessions:  repository.Sessions(),
		Attempts:  repository.Attempts(),
		Registry:  repository.Deployment(),
		Requests:  repository.Requests(conformance.RecordTerms),
		Changes:   repository.ChangeLog(),
		Claims:    repository.Claims(),
		Jobs:      repository.Jobs(),
		Activity:  repository.Activity(),
		Fill:      repository.Fill(),
		Gaps:      repository.Gaps(),

		Considerations: repository.Considerations(),
		Settings:       repository.ProviderSettings(),
		Contents:       repository.Images(),
	}
}

func TestRepository(t *testing.T) {
	conformance.RunRepositories(t, openRepository)
}
