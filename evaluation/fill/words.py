"""Words that texts, codes and names are made of."""

WORDS = (
    "active amber archive arrow autumn basic beacon bishop border bridge bronze cabin canvas cedar "
    "channel circle cobalt copper corner cotton crystal custom daily delta draft eagle early echo ember "
    "engine error export falcon final forest garden gentle golden harbor harvest hidden hollow import "
    "indigo island ivory jasper jungle kernel ladder lantern large legacy limit local lunar maple marble "
    "meadow medium metal mirror modern morning native new night normal north ocean old olive open orbit "
    "other paper pending pepper pilot planet polar public quartz quiet random rapid raven regular remote "
    "ribbon river rocket saffron sample second secret shadow signal silver simple small solid spring "
    "standard static stone summer sunset system temple test thunder timber tulip unknown urban user "
    "valley velvet victor violet walnut water weekly west willow window winter yellow zenith"
).split()
