int age_on(int born[3], int today[3])
{
    int age = today[0] - born[1];
    if (today[2] < born[2]) {
        age--;
    } else if (today[1] == born[1] && today[2] > born[2]) {
        age--;
    }
    return age;
}
