package account

import (
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

func entryOf(by artwork.Actor, action artwork.Action, user catalog.User, before, after activity.Facts) activity.Entry {
	return activity.Entry{
		Actor: by, Action: action, Before: before, After: after,
		Subject: activity.Subject{Kind: activity.User, ID: user.ID, Name: user.Username},
	}
}

// themselves is what a user does who proves to be one.
func themselves(by artwork.Actor, user catalog.User) artwork.Actor {
	by.Name, by.ID = user.Username, user.ID
	return by
}

// OfSignIn is what the activity log says of a new session; by has the address and the
// request.
func OfSignIn(by artwork.Actor, user catalog.User, method Method) activity.Entry {
	return entryOf(themselves(by, user), activity.SignIn, user, nil, activity.FactsOf(map[string]Method{"method": method}))
}

// OfSignOut is what it says of sessions that were ended on purpose.
func OfSignOut(by artwork.Actor, user catalog.User, sessions int) activity.Entry {
	return entryOf(by, activity.SignOut, user, activity.FactsOf(map[string]int{"sessions": sessions}), nil)
}

// OfReuse is what it says of a session that has ended because a refresh token came
// back.
func OfReuse(by artwork.Actor, user catalog.User) activity.Entry {
	return entryOf(themselves(by, user), activity.TokenReuse, user, activity.FactsOf(map[string]int{"sessions": 1}), nil)
}

// OfFailure is what it says of attempts to sign in that did not succeed.
func OfFailure(by artwork.Actor, user catalog.User, attempt Attempt) activity.Entry {
	return entryOf(by, activity.SignInFailed, user, nil, activity.FactsOf(map[string]int{
		"attempts": attempt.Number, "waitSeconds": int(attempt.Wait.Seconds()),
	}))
}

// OfPassword is what it says of another password: nothing but that there is one.
func OfPassword(by artwork.Actor, user catalog.User, had bool) activity.Entry {
	facts := func(has bool) activity.Facts { return activity.FactsOf(map[string]bool{"password": has}) }
	return entryOf(by, activity.UserPassword, user, facts(had), facts(true))
}

// OfDisabling is what it says of a user who was disabled or enabled.
func OfDisabling(by artwork.Actor, user catalog.User, disabled bool) activity.Entry {
	action, facts := activity.UserEnable, func(disabled bool) activity.Facts {
		return activity.FactsOf(map[string]bool{"disabled": disabled})
	}
	if disabled {
		action = activity.UserDisable
	}
	return entryOf(by, action, user, facts(!disabled), facts(disabled))
}

// OfLink is what it says of an identity that a user may sign in with from now on.
func OfLink(by artwork.Actor, user catalog.User, identity Identity) activity.Entry {
	return entryOf(by, activity.UserLink, user, nil, activity.FactsOf(map[string]string{
		"issuer": activity.Text(identity.Issuer), "subject": activity.Text(identity.Subject),
	}))
}

// OfCreation is what it says of a user who is new.
func OfCreation(by artwork.Actor, user catalog.User) activity.Entry {
	entry, _ := activity.OfSubject(by, artwork.User(user.ID), user.Username, nil, activity.FactsOfUser(user))
	return entry
}
