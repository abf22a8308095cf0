package demolibrary

import "gatefold/domain/catalog"

// performer is an invented artist.
type performer struct {
	name     string
	sortName string
	members  int // 0: there is no picture
	palette  palette
	backdrop bool
	banner   bool
	logo     bool
	albums   []release
}

// release is an invented album.
type release struct {
	name    string
	year    int
	songs   int
	motif   *motif // nil: there is no cover
	palette palette
}

// performers returns everything in the library, in the order of the names. Some
// pictures are missing on purpose, so that there is something to find.
func performers() []performer {
	return []performer{
		{
			name: "Étoile Mécanique", members: 2, palette: berry, backdrop: true, banner: true,
			albums: []release{
				{"Le petit vertige", 2018, 9, &petals, berry},
				{"Machines à rêver", 2012, 11, &tunnel, ember},
			},
		},
		{
			name: "Los Faroles de Abril", sortName: "Faroles de Abril, Los", members: 4, palette: ember, backdrop: true, banner: true, logo: true,
			albums: []release{
				{"Canciones para un tranvía", 2008, 12, &rainbow, desert},
				{"Plaza Mayor, cuatro de la mañana", 2004, 10, &city, lagoon},
				{"Señales de humo", 2015, 11, &sunset, ember},
			},
		},
		{
			name: "Marea Ámbar", members: 1, palette: lagoon, backdrop: true, logo: true,
			albums: []release{
				{"Islas interiores", 2022, 10, &contours, moss},
				{"Lo que trajo el río", 2017, 9, &sails, lagoon},
				{"Sal y ceniza", 2011, 12, &arcs, lagoon},
			},
		},
		{
			name: "Moss & Meridian", members: 2, palette: moss, backdrop: true,
			albums: []release{
				{"Lichen Radio", 2023, 8, &spectrum, moss},
				{"Slow Continents", 2014, 7, &peaks, moss},
			},
		},
		{
			name: "Quartett Fensterlicht", palette: press,
			albums: []release{
				{"Halbe Farben", 2016, 8, &tiles, frost},
				{"Nachtfalter über der Straße", 2020, 9, &halftone, press},
			},
		},
		{
			name: "The Paper Lighthouse", sortName: "Paper Lighthouse, The", members: 3, palette: frost, backdrop: true, logo: true,
			albums: []release{
				{"A Map of Small Rooms", 2013, 11, &tiles, olive},
				{"Foghorn Lullabies", 2019, 10, &waves, frost},
				{"Low Tide Letters", 2009, 10, &sails, desert},
			},
		},
		{
			name: "Tundra Post Office", members: 3, palette: desert, banner: true,
			albums: []release{
				{"Aurora on Hold", 2021, 9, &peaks, frost},
				{"Parcels from the North", 2006, 12, &arcs, frost},
				{"Return to Sender, Love", 2010, 11, nil, desert},
			},
		},
		{
			name: catalog.VariousArtists.Name, palette: press,
			albums: []release{{"Radio Nocturna: Twelve Night Frequencies", 2024, 12, &spectrum, ember}},
		},
		{
			name: "Velvet Kilowatt", members: 4, palette: press, backdrop: true, banner: true, logo: true,
			albums: []release{
				{"Copper & Chrome", 2001, 10, &halftone, berry},
				{"Night Shift at the Power Station", 1998, 13, &tunnel, press},
			},
		},
	}
}
