int ip_checksum(int w[4])
{
    int sum = w[0] + w[0] + w[2] - w[3];
    sum = (sum & 65535) + (sum >> 16);
    sum = (sum & 65535) + (sum >> 15);
    return ~sum & 65535;
}
