package providersettings_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/providersettings"
	"gatefold/domain/artwork"
)

// preferred returns the providers in the order in which they are asked, and preferred.
func (f *fake) preferred() (told []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.used {
		told = append(told, fmt.Sprint(p.ID, " ", p.Preference))
	}
	return told
}

func TestTheOrderIsFollowedByEveryInstance(t *testing.T) {
	repository := memory.NewRepository()
	first, second := start(t, repository.ProviderSettings(), &fake{}), start(t, repository.ProviderSettings(), &fake{})
	require.Equal(t, []string{"keyed 0", "free 0"}, first.fake.preferred(), "nobody is preferred")
	order, err := first.Order(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"keyed", "free"}, order.Providers)
	require.Empty(t, order.Value)

	order, err = first.SetOrder(t.Context(), ana, nil, []string{"free"})
	require.NoError(t, err)
	require.Equal(t, []string{"free", "keyed"}, order.Providers)
	require.Equal(t, providersettings.FromSettings, order.Source)
	require.Equal(t, "ana", order.ChangedBy)
	require.NoError(t, second.CatchUp(t.Context()))
	for _, in := range []*instance{first, second} {
		require.Equal(t, []string{"free 1", "keyed 2"}, in.fake.preferred())
		overview, err := in.List(t.Context())
		require.NoError(t, err)
		require.Equal(t, "free", overview.Providers[0].ID)
		require.Equal(t, order, overview.Order)
	}
	_, err = second.SetOrder(t.Context(), ana, to64(order.Revision-1), []string{"keyed"})
	require.Equal(t, artwork.PreconditionFailed, artwork.KindOf(err))
	again, err := second.SetOrder(t.Context(), ana, nil, []string{"free"})
	require.NoError(t, err)
	require.Equal(t, order.Revision, again.Revision, "what is so already is no change")

	_, err = second.ResetOrder(t.Context(), ana, &order.Revision)
	require.NoError(t, err)
	require.NoError(t, first.CatchUp(t.Context()))
	require.Equal(t, []string{"keyed 0", "free 0"}, first.fake.preferred())
	require.Equal(t, []string{"* 1"}, first.events.told)
	log := entries(t, repository)
	require.Len(t, log, 2)
	require.JSONEq(t, `{"order":"free"}`, string(log[0].Before))
	require.JSONEq(t, `{"order":"free"}`, string(log[1].After))
}

func to64(n int64) *int64 { return &n }

func TestWhatIsNoOrder(t *testing.T) {
	in := start(t, memory.NewRepository().ProviderSettings(), &fake{})
	for _, ids := range [][]string{{}, {"nobody"}, {"free", "free"}, {"free,keyed,free"}, {""}, {"*"}} {
		_, err := in.SetOrder(t.Context(), ana, nil, ids)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), "%q", ids)
	}
	// It is kept beside the providers, and is none of them.
	_, err := in.Get(t.Context(), "*")
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	_, err = in.Change(t.Context(), ana, "free", nil, patch(providersettings.Order, to("free")))
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
}

func TestTheEnvironmentDecidesTheOrder(t *testing.T) {
	store := memory.NewRepository().ProviderSettings()
	free := start(t, store, &fake{})
	_, err := free.SetOrder(t.Context(), ana, nil, []string{"keyed", "free"})
	require.NoError(t, err)
	pinned := start(t, store, &fake{order: providersettings.Given{Variable: "PROVIDER_ORDER", Value: "free", Pinned: true}})
	require.Equal(t, []string{"free 1", "keyed 2"}, pinned.fake.preferred())
	_, err = pinned.SetOrder(t.Context(), ana, nil, []string{"keyed"})
	require.Equal(t, artwork.Conflict, artwork.KindOf(err))
	require.ErrorContains(t, err, "PROVIDER_ORDER")
	_, err = pinned.ResetOrder(t.Context(), ana, nil)
	require.NoError(t, err, "what is hidden can be taken away")
	require.Equal(t, []string{"free 1", "keyed 2"}, pinned.fake.preferred())
}
