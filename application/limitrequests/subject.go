package limitrequests

import (
	"net/netip"

	"gatefold/domain/artwork"
)

// Class is a kind of request that is counted by itself.
type Class string

// The classes.
const (
	Exempt   Class = ""         // is never counted
	Requests Class = "requests" // everything that is in no other class
	Uploads  Class = "uploads"
	Avatars  Class = "avatars" // uploads that take force at once
	Logins   Class = "logins"
)

// Subject is who has a limit of their own.
type Subject struct {
	key     string
	isToken bool
}

// Client is who asks from an address without being known. What one holder of IPv6
// addresses is given at least, a network of 64 bits, is one client.
func Client(address netip.Addr) Subject {
	address = address.Unmap()
	if address.Is6() {
		network, err := address.WithZone("").Prefix(64)
		if err == nil { // always: there are 128 bits
			address = network.Addr()
		}
	}
	return Subject{key: "client:" + address.String()}
}

// User is somebody who has signed in.
func User(id artwork.ID) Subject { return Subject{key: "user:" + id.String()} }

// Token is a program with an API token.
func Token(id artwork.ID) Subject { return Subject{key: "token:" + id.String(), isToken: true} }

// Limits are the requests that each subject has in a minute; 0: any number.
type Limits struct {
	Requests int
	Uploads  int
	Logins   int
	// Tokens is for requests and uploads, together, of one API token. What it says is
	// instead of Requests and Uploads.
	Tokens int
}

// Default are the limits of a deployment that names none.
var Default = Limits{Requests: 300, Uploads: 300, Logins: 5}

// avatarPart is the part of the uploads that may be avatars, once there are more of
// them than fewestAvatars.
const (
	avatarPart    = 30
	fewestAvatars = 10
)

// Avatars is how many uploads of avatars there may be: a thirtieth of the other
// uploads, but not less than 10, unless those are less.
func (l Limits) Avatars() int {
	return max(min(fewestAvatars, l.Uploads), l.Uploads/avatarPart)
}

func (l Limits) of(class Class) int {
	switch class {
	case Requests:
		return l.Requests
	case Uploads:
		return l.Uploads
	case Avatars:
		return l.Avatars()
	case Logins:
		return l.Logins
	default:
		return 0
	}
}
